"""What takes too long for a request, and what is done from time to time."""

import os

from celery import Celery

from . import parts

# A document that nobody touched for this long and that is not indexed is given out again.
PATIENCE_SECONDS = int(os.environ.get("PATIENCE_SECONDS", "60"))
SWEEP_SECONDS = int(os.environ.get("SWEEP_SECONDS", "15"))
PASSAGE_WORDS = 12

app = Celery("kb", broker=parts.REDIS_URL)
app.conf.update(
    task_ignore_result=True,
    # A task is taken off the queue when it is done: who dies over it leaves it to another.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    beat_schedule_filename="/tmp/beat",
    beat_schedule={"sweep": {"task": "kb.tasks.sweep", "schedule": SWEEP_SECONDS, "options": {"expires": SWEEP_SECONDS}}},
)


def passages(text):
    words = text.split()
    return [" ".join(words[at : at + PASSAGE_WORDS]) for at in range(0, len(words), PASSAGE_WORDS)]


@app.task(autoretry_for=(Exception,), retry_backoff=2, max_retries=5)
def index(document):
    """Makes a document findable; doing it again changes nothing."""
    with parts.database() as database:
        touch = "UPDATE documents SET touched = now(), begun = begun + %s WHERE id = %s"
        database.execute(touch, [1, document])
        found = passages(parts.get_text(document))
        vectors = []
        for passage in found:
            vectors += parts.embedded([passage])
            database.execute(touch, [0, document])
        parts.keep_vectors(document, found, vectors)
        database.execute("UPDATE documents SET indexed = true WHERE id = %s", [document])


@app.task
def sweep():
    """Gives out again what was left behind."""
    with parts.database() as database:
        left = database.execute(
            """UPDATE documents SET touched = now()
               WHERE NOT indexed AND touched < now() - make_interval(secs => %s) RETURNING id""",
            [PATIENCE_SECONDS],
        ).fetchall()
    for (document,) in left:
        index.delay(document)
