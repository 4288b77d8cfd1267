"""Brings the tables up to date and ends; doing it again changes nothing."""

from . import parts

LOCK = 7_315_023
STATEMENTS = [
    """CREATE TABLE IF NOT EXISTS documents (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        title text NOT NULL,
        begun integer NOT NULL DEFAULT 0,
        indexed boolean NOT NULL DEFAULT false,
        touched timestamptz NOT NULL DEFAULT now()
    )""",
    "CREATE INDEX IF NOT EXISTS documents_waiting ON documents (touched) WHERE NOT indexed",
]

if __name__ == "__main__":
    with parts.database() as database:
        database.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        for statement in STATEMENTS:
            database.execute(statement)
