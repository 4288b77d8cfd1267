"""What the programs work with: the database, the queue, the storage, the models and the vectors."""

import io
import os

import httpx
import psycopg
import redis as redis_client
from minio import Minio

from . import settings

ANSWER_SECONDS = 5
# Who only asks whether a part is there waits less for it, and does not ask again.
CHECK_SECONDS = 2
BUCKET = "documents"

database_password = settings.secret("DATABASE_PASSWORD")
redis_password = settings.secret("REDIS_PASSWORD")
storage_key = settings.secret("STORAGE_SECRET_KEY")
model_key = settings.secret("MODEL_MASTER_KEY")
settings.settle("knowledge-base")

REDIS_URL = f"redis://:{redis_password}@redis:6379/0"
redis = redis_client.Redis.from_url(REDIS_URL, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=3)
asked_redis = redis_client.Redis.from_url(REDIS_URL, socket_timeout=CHECK_SECONDS, socket_connect_timeout=CHECK_SECONDS)
storage = Minio("storage:9000", access_key="knowledge", secret_key=storage_key, secure=False, region="us-east-1")
web = httpx.Client(timeout=ANSWER_SECONDS * 2)
VECTORS = os.environ.get("VECTORS", "http://vector:8000")
MODELS = os.environ.get("MODELS", "http://models:8000")


def database(patience=ANSWER_SECONDS):
    """A connection, for one thing."""
    return psycopg.connect(
        host="postgres", user="knowledge", dbname="knowledge", password=database_password, connect_timeout=patience, autocommit=True
    )


def ask_database():
    with database(CHECK_SECONDS) as asked:
        asked.execute("SELECT 1 FROM documents LIMIT 1")


def ask_vectors():
    web.get(f"{VECTORS}/health", timeout=CHECK_SECONDS).raise_for_status()


def embedded(texts):
    answer = web.post(f"{MODELS}/v1/embeddings", json={"input": texts}, headers={"authorization": f"Bearer {model_key}"})
    answer.raise_for_status()
    return [item["embedding"] for item in answer.json()["data"]]


def keep_vectors(document, passages, vectors):
    items = [{"passage": passage, "vector": vector} for passage, vector in zip(passages, vectors, strict=True)]
    web.put(f"{VECTORS}/documents/{document}", json={"items": items}).raise_for_status()


def nearest(vector, most):
    answer = web.post(f"{VECTORS}/search", json={"vector": vector, "most": most})
    answer.raise_for_status()
    return answer.json()["found"]


def put_text(document, text):
    body = text.encode()
    storage.put_object(BUCKET, str(document), io.BytesIO(body), len(body), content_type="text/plain")


def get_text(document):
    answer = storage.get_object(BUCKET, str(document))
    try:
        return answer.read().decode()
    finally:
        answer.close()
        answer.release_conn()
