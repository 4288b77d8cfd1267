"""One line of JSON for each request, and what this replica counted."""

import json
import sys
import threading
import time
import uuid
from collections import Counter

from flask import g, request

QUIET = ("/health", "/ready", "/metrics")

lock = threading.Lock()
answers = Counter()
seconds = Counter()


def install(app):
    @app.before_request
    def begin():
        g.begun = time.monotonic()
        g.id = request.headers.get("X-Request-Id") or uuid.uuid4().hex

    @app.after_request
    def end(response):
        took = time.monotonic() - g.begun
        response.headers["X-Request-Id"] = g.id
        # The rule and not the path: names of users are no names of metrics.
        rule = request.url_rule.rule if request.url_rule else "none"
        with lock:
            answers[request.method, rule, response.status_code] += 1
            seconds[rule] += took
        if request.path not in QUIET or response.status_code >= 400:
            tell("request", request_id=g.id, method=request.method, path=request.path, status=response.status_code, seconds=round(took, 4))
        return response


def tell(message, **fields):
    sys.stdout.write(json.dumps({"time": time.time(), "level": "info", "message": message, **fields}) + "\n")


def text(finished):
    """What was counted, as Prometheus reads it."""
    lines = ["# TYPE stock_lessons_requests_total counter"]
    with lock:
        lines += [
            f'stock_lessons_requests_total{{method="{method}",route="{rule}",status="{status}"}} {count}'
            for (method, rule, status), count in sorted(answers.items())
        ]
        lines.append("# TYPE stock_lessons_request_seconds_total counter")
        lines += [f'stock_lessons_request_seconds_total{{route="{rule}"}} {took:.6f}' for rule, took in sorted(seconds.items())]
    lines += ["# TYPE stock_lessons_finished gauge", f"stock_lessons_finished {finished}"]
    return "\n".join(lines) + "\n"
