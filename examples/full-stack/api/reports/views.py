"""What can be asked."""

import json
import socket
import time

import redis
from django.conf import settings
from django.http import JsonResponse
from django.views.decorators.http import require_GET, require_http_methods

from .models import Report
from .tasks import write

MOST_PAGES = 200
queue = redis.Redis(**settings.REDIS, socket_timeout=2, socket_connect_timeout=2)


@require_GET
def version(request):
    return JsonResponse({"name": "full-stack", "version": settings.VERSION, "instance": socket.gethostname()})


@require_GET
def health(request):
    return JsonResponse({"status": "ok"})


def checked(ask):
    begun = time.monotonic()
    try:
        ask()
    except Exception as error:  # whatever it is, this replica cannot answer
        return {"ok": False, "error": type(error).__name__}
    return {"ok": True, "milliseconds": round((time.monotonic() - begun) * 1000)}


@require_GET
def ready(request):
    parts = {"database": checked(Report.objects.exists), "redis": checked(queue.ping)}
    ok = all(part["ok"] for part in parts.values())
    return JsonResponse({"ready": ok, **parts}, status=200 if ok else 503)


@require_http_methods(["GET", "POST"])
def reports(request):
    if request.method == "GET":
        latest = Report.objects.order_by("-id")[:20]
        return JsonResponse({"reports": [report.told() for report in latest]})
    try:
        asked = json.loads(request.body)
        title, pages = asked["title"], asked["pages"]
    except (ValueError, KeyError, TypeError):
        return JsonResponse({"error": "a title and a number of pages are needed"}, status=422)
    if not isinstance(title, str) or not 0 < len(title) <= 200 or type(pages) is not int or not 0 < pages <= MOST_PAGES:
        return JsonResponse({"error": f"a title, and 1 to {MOST_PAGES} pages are needed"}, status=422)
    report = Report.objects.create(title=title, pages=pages)
    write.delay(report.id)
    return JsonResponse(report.told(), status=202)


@require_GET
def report(request, number):
    found = Report.objects.filter(id=number).first()
    return JsonResponse(found.told()) if found else JsonResponse({"error": "there is no such report"}, status=404)
