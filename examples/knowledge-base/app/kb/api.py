"""What can be asked."""

import socket

from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel, Field

from . import checks, observe, parts, settings
from .tasks import app as queue
from .tasks import index

app = FastAPI(title="knowledge-base", docs_url=None if settings.PRODUCTION else "/api/docs", openapi_url=None if settings.PRODUCTION else "/api/openapi.json")
observe.install(app)


class Document(BaseModel):
    title: str = Field(min_length=1, max_length=200)
    text: str = Field(min_length=1, max_length=50_000)


@app.get("/api/version")
def version():
    return {"name": "knowledge-base", "version": settings.VERSION, "instance": socket.gethostname()}


@app.get("/api/health")
async def health():
    return {"status": "ok"}


@app.get("/api/ready")
async def ready(response: Response):
    told = await checks.all_told()
    response.status_code = 200 if told["ready"] else 503
    return told


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
