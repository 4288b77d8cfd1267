"""One line of JSON for each thing worth telling, with the id of the request it is about."""

import json
import logging
import time
import uuid

log = logging.getLogger("desk.request")
QUIET = ("/api/health", "/api/ready")


class Json(logging.Formatter):
    def format(self, record):
        told = {"time": record.created, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        told.update(getattr(record, "fields", {}))
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told)


class Observed:
    def __init__(self, respond):
        self.respond = respond

    def __call__(self, request):
        begun = time.monotonic()
        request.id = request.headers.get("X-Request-Id") or uuid.uuid4().hex
        response = self.respond(request)
        response["X-Request-Id"] = request.id
        if request.path not in QUIET or response.status_code >= 400:
            seconds = round(time.monotonic() - begun, 4)
            fields = {"request_id": request.id, "method": request.method, "path": request.path, "status": response.status_code, "seconds": seconds}
            log.info("request", extra={"fields": fields})
        return response
