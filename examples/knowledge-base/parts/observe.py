"""One line of JSON for each request, with its id."""

import json
import sys
import time
import uuid

QUIET = ("/api/health", "/api/ready", "/health")


def tell(message, **fields):
    sys.stdout.write(json.dumps({"time": time.time(), "level": "info", "message": message, **fields}) + "\n")
    sys.stdout.flush()


def install(app):
    @app.middleware("http")
    async def observed(request, respond):
        begun = time.monotonic()
        request.state.id = request.headers.get("x-request-id") or uuid.uuid4().hex
        response = await respond(request)
        response.headers["x-request-id"] = request.state.id
        path = request.url.path
        if path not in QUIET or response.status_code >= 400:
            seconds = round(time.monotonic() - begun, 4)
            tell("request", request_id=request.state.id, method=request.method, path=path, status=response.status_code, seconds=seconds)
        return response
