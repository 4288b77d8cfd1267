"""Stands where a proxy to language models stands: the same requests and the same key, but vectors counted from words."""

import hashlib
import hmac
import math
import os
import re
import sys
import time

import observe
from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel

SIZE = 64
# A model takes its time.
THINKING_SECONDS = 0.2

key = os.environ.get("MODEL_MASTER_KEY", "")
if not key or (os.environ.get("ENVIRONMENT") == "production" and (key.startswith("sk-dev-") or len(key) < 16)):
    sys.exit("models does not start:\n  - MODEL_MASTER_KEY is missing, or is one that everybody knows")

app = FastAPI(docs_url=None, openapi_url=None)
observe.install(app)


class Request(BaseModel):
    input: list[str]


@app.get("/health")
def health():
    return {"status": "ok"}


@app.post("/v1/embeddings")
def embeddings(request: Request, authorization: str = Header("")):
    if not hmac.compare_digest(authorization.encode(), f"Bearer {key}".encode()):
        raise HTTPException(401, "the key is wrong")
    time.sleep(THINKING_SECONDS)
    return {"data": [{"embedding": embedded(text)} for text in request.input]}


def embedded(text):
    """Each word adds to one direction, so texts with the same words lie near each other."""
    vector = [0.0] * SIZE
    for word in re.findall(r"\w+", text.lower()):
        vector[hashlib.sha256(word.encode()).digest()[0] % SIZE] += 1
    length = math.sqrt(sum(number * number for number in vector)) or 1
    return [number / length for number in vector]
