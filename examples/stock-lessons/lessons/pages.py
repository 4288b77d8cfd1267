"""What anybody may ask for."""

import json
import re
import socket
from pathlib import Path

from flask import Blueprint, current_app, redirect, request, url_for

from . import observe

pages = Blueprint("pages", __name__)

LESSONS = json.loads((Path(__file__).parent / "lessons.json").read_text())
NAME = re.compile(r"[\w.-]{1,64}")


def store():
    return current_app.extensions["store"]


@pages.get("/")
def index():
    return redirect(url_for("static", filename="index.html"))


@pages.get("/version")
def version():
    return {"name": "stock-lessons", "version": current_app.extensions["settings"].version, "instance": socket.gethostname()}


@pages.get("/lessons")
def lessons():
    return {"lessons": LESSONS}


@pages.get("/users/<user>/progress")
def progress(user):
    return {"user": user, "progress": store().progress(user)}


@pages.put("/users/<user>/progress/<lesson>")
def keep(user, lesson):
    if not NAME.fullmatch(user):
        return {"error": "a name of letters and digits is needed"}, 422
    if lesson not in {known["id"] for known in LESSONS}:
        return {"error": "there is no such lesson"}, 404
    score = (request.get_json(silent=True) or {}).get("score")
    if type(score) is not int or not 0 <= score <= 100:
        return {"error": "a score from 0 to 100 is needed"}, 422
    store().keep(user, lesson, score)
    return "", 204


@pages.get("/health")
def health():
    return {"status": "ok"}


@pages.get("/ready")
def ready():
    try:
        return {"ready": True, "finished": store().finished()}
    except Exception as error:  # whatever it is, this replica cannot answer
        return {"ready": False, "error": str(error)}, 503


@pages.get("/metrics")
def metrics():
    return observe.text(store().finished()), 200, {"content-type": "text/plain; version=0.0.4"}
