"""Progress in one SQLite file, which all replicas on a machine share.

The write-ahead log lets readers go on while one writes, and SQLite's own locks let one write at a time: a writer waits for
its turn. Its shared memory is a file beside the database, so all replicas must be on one machine and one local disk.
"""

import sqlite3
import threading
import time

# How long a writer waits for its turn.
PATIENCE_SECONDS = 10
# How often a database is asked to keep a write-ahead log.
TRIES = 20

MIGRATIONS = [
    """CREATE TABLE progress (
        user text NOT NULL,
        lesson text NOT NULL,
        score integer NOT NULL,
        finished real NOT NULL,
        PRIMARY KEY (user, lesson)
    ) WITHOUT ROWID""",
    "CREATE INDEX progress_by_lesson ON progress (lesson)",
]


class Store:
    def __init__(self, path):
        self.path = path
        self.local = threading.local()
        self.migrate()

    def connection(self):
        """The connection of this thread."""
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=PATIENCE_SECONDS, isolation_level=None)
            self.write_ahead(connection)
            # What was answered outlives a power cut.
            connection.execute("PRAGMA synchronous = FULL")
            self.local.connection = connection
        return connection

    @staticmethod
    def write_ahead(connection):
        """Where others open a new database at the same moment, SQLite refuses this at once; for a transaction it waits."""
        for _ in range(TRIES):
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")

    def migrate(self):
        """Brings the schema up to date; when several begin at once, one does it and the others find it done."""
        connection = self.connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            (done,) = connection.execute("PRAGMA user_version").fetchone()
            for statement in MIGRATIONS[done:]:
                connection.execute(statement)
            if done < len(MIGRATIONS):
                connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def keep(self, user, lesson, score):
        """Keeps the best score; doing it again changes nothing."""
        self.connection().execute(
            """INSERT INTO progress (user, lesson, score, finished) VALUES (?, ?, ?, ?)
               ON CONFLICT (user, lesson) DO UPDATE SET score = max(score, excluded.score)""",
            (user, lesson, score, time.time()),
        )

    def progress(self, user):
        rows = self.connection().execute("SELECT lesson, score FROM progress WHERE user = ? ORDER BY lesson", (user,))
        return [{"lesson": lesson, "score": score} for lesson, score in rows]

    def summary(self):
        rows = self.connection().execute("SELECT lesson, count(*), avg(score) FROM progress GROUP BY lesson")
        return [{"lesson": lesson, "users": users, "average": round(average, 1)} for lesson, users, average in rows]

    def finished(self):
        return self.connection().execute("SELECT count(*) FROM progress").fetchone()[0]
