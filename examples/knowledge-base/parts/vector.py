"""The vector database: sqlite-vec behind HTTP, one writer, its data in one file."""

import os
import sqlite3
import threading

import observe
import sqlite_vec
from fastapi import FastAPI
from pydantic import BaseModel, Field

SIZE = 64

app = FastAPI(docs_url=None, openapi_url=None)
observe.install(app)
lock = threading.Lock()


class Item(BaseModel):
    passage: str
    vector: list[float] = Field(min_length=SIZE, max_length=SIZE)


class Items(BaseModel):
    items: list[Item]


class Question(BaseModel):
    vector: list[float] = Field(min_length=SIZE, max_length=SIZE)
    most: int = Field(ge=1, le=50)


def opened():
    database = sqlite3.connect(os.environ.get("VECTOR_FILE", "/vectors/vectors.db"), check_same_thread=False, isolation_level=None)
    database.enable_load_extension(True)
    sqlite_vec.load(database)
    database.enable_load_extension(False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute(f"CREATE VIRTUAL TABLE IF NOT EXISTS passages USING vec0(vector float[{SIZE}] distance_metric=cosine, document integer, +passage text)")
    return database


database = opened()


@app.get("/health")
def health():
    with lock:
        return {"status": "ok", "passages": database.execute("SELECT count(*) FROM passages").fetchone()[0]}


@app.put("/documents/{document}", status_code=204)
def keep(document: int, items: Items):
    rows = [(sqlite_vec.serialize_float32(item.vector), document, item.passage) for item in items.items]
    with lock:
        database.execute("BEGIN IMMEDIATE")
        try:
            database.execute("DELETE FROM passages WHERE document = ?", [document])
            database.executemany("INSERT INTO passages (vector, document, passage) VALUES (?, ?, ?)", rows)
            database.execute("COMMIT")
        except BaseException:
            database.execute("ROLLBACK")
            raise


@app.post("/search")
def search(question: Question):
    with lock:
        rows = database.execute(
            "SELECT document, passage, distance FROM passages WHERE vector MATCH ? AND k = ? ORDER BY distance",
            [sqlite_vec.serialize_float32(question.vector), question.most],
        ).fetchall()
    return {"found": [{"document": document, "passage": passage, "distance": round(distance, 4)} for document, passage, distance in rows]}
