"""What can be asked."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel, Field

from . import observe, parts, settings
from .tasks import app as queue
from .tasks import index

CHECK_SECONDS = 5

app = FastAPI(title="knowledge-base", docs_url=None if settings.PRODUCTION else "/api/docs", openapi_url=None if settings.PRODUCTION else "/api/openapi.json")
observe.install(app)
checkers = ThreadPoolExecutor(8)


class Document(BaseModel):
    title: str = Field(min_length=1, max_length=200)
    text: str = Field(min_length=1, max_length=50_000)


@app.get("/api/version")
def version():
    return {"name": "knowledge-base", "version": settings.VERSION, "instance": socket.gethostname()}


@app.get("/api/health")
async def health():
    return {"status": "ok"}


def checked(ask):
    begun = time.monotonic()
    try:
        ask()
    except Exception as error:  # whatever it is, this part does not answer
        return {"ok": False, "error": type(error).__name__}
    return {"ok": True, "milliseconds": round((time.monotonic() - begun) * 1000)}


def ask_database():
    with parts.database() as database:
        database.execute("SELECT 1 FROM documents LIMIT 1")


@app.get("/api/ready")
def ready(response: Response):
    asked = {
        "database": ask_database,
        "redis": parts.redis.ping,
        "vector": lambda: parts.web.get(f"{parts.VECTORS}/health", timeout=CHECK_SECONDS - 1).raise_for_status(),
    }
    deadline = time.monotonic() + CHECK_SECONDS
    running = {name: checkers.submit(checked, ask) for name, ask in asked.items()}
    told = {}
    for name, check in running.items():
        try:
            told[name] = check.result(max(0, deadline - time.monotonic()))
        except TimeoutError:
            told[name] = {"ok": False, "error": f"no answer within {CHECK_SECONDS} s"}
    ok = all(part["ok"] for part in told.values())
    response.status_code = 200 if ok else 503
    return {"ready": ok, **told}


@app.get("/api/workers")
def workers():
    answers = queue.control.inspect(timeout=1).ping() or {}
    return {"workers": sorted(answers)}


@app.get("/api/queues")
def queues():
    return {"waiting": parts.redis.llen("celery"), "under_way": parts.redis.hlen("unacked")}


@app.post("/api/documents", status_code=202)
def add(document: Document):
    with parts.database() as database, database.transaction():
        (number,) = database.execute("INSERT INTO documents (title) VALUES (%s) RETURNING id", [document.title]).fetchone()
        parts.put_text(number, document.text)
    index.delay(number)
    return {"number": number}


@app.get("/api/documents/{number}")
def one(number: int):
    with parts.database() as database:
        row = database.execute("SELECT title, begun, indexed FROM documents WHERE id = %s", [number]).fetchone()
    if not row:
        raise HTTPException(404, "there is no such document")
    return {"number": number, "title": row[0], "begun": row[1], "indexed": row[2]}


@app.get("/api/search")
def search(q: str):
    (vector,) = parts.embedded([q])
    return {"found": parts.nearest(vector, 3)}
