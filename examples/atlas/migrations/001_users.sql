CREATE TABLE users (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  salt bytea NOT NULL,
  hash bytea NOT NULL
);
