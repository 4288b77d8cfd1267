"""Turns XML into JSON, one line for each child of the root, while the body is still coming in."""

import json
import logging
import os
import sys
import time
import uuid
from xml.etree import ElementTree

from flask import Flask, Response, g, request, stream_with_context

LARGEST_BODY = 300 * 1024 * 1024

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY

log = logging.getLogger("access")
log.addHandler(logging.StreamHandler(sys.stdout))
log.setLevel(os.environ.get("LOG_LEVEL", "INFO").upper())
log.propagate = False


@app.before_request
def begin():
    g.begun = time.monotonic()
    g.id = request.headers.get("X-Request-Id") or uuid.uuid4().hex


@app.after_request
def end(response):
    response.headers["X-Request-Id"] = g.id
    log.info(
        json.dumps(
            {
                "request_id": g.id,
                "method": request.method,
                "path": request.path,
                "status": response.status_code,
                "seconds": round(time.monotonic() - g.begun, 4),
            }
        )
    )
    return response


@app.get("/health")
def health():
    return {"status": "ok", "version": os.environ.get("APP_VERSION", "development")}


@app.post("/convert")
def convert():
    lines = converted(request.stream)
    try:
        first = next(lines, None)
    except ElementTree.ParseError as error:
        return {"error": f"not well-formed XML: {error}"}, 400
    answer = stream_with_context(told(first, lines))
    return Response(answer, mimetype="application/x-ndjson")


def told(first, rest):
    """What was converted, line by line; what is wrong further down can only be told on a line of its own."""
    try:
        if first:
            yield json.dumps(first) + "\n"
        for line in rest:
            yield json.dumps(line) + "\n"
    except ElementTree.ParseError as error:
        yield json.dumps({"error": f"not well-formed XML: {error}"}) + "\n"


def converted(stream):
    """Children of the root one by one; each is forgotten once it is converted."""
    depth = 0
    root = None
    for event, element in ElementTree.iterparse(stream, events=("start", "end")):
        if event == "start":
            root = element if root is None else root
            depth += 1
            continue
        depth -= 1
        if depth == 1:
            yield as_json(element)
            root.clear()


def as_json(element):
    inner = {"tag": element.tag}
    if element.attrib:
        inner["attributes"] = dict(element.attrib)
    if element.text and element.text.strip():
        inner["text"] = element.text.strip()
    children = [as_json(child) for child in element]
    if children:
        inner["children"] = children
    return inner
