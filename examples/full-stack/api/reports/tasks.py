"""What takes too long for a request."""

import time

from celery import shared_task
from django.db import OperationalError
from django.db.models import F

from .models import Report

PAGE_SECONDS = 0.25


@shared_task(autoretry_for=(OperationalError,), retry_backoff=2, max_retries=8)
def write(number):
    """Writes a report page by page; begun again, it goes on where it was."""
    Report.objects.filter(id=number).update(begun=F("begun") + 1)
    report = Report.objects.get(id=number)
    for page in range(report.written, report.pages):
        time.sleep(PAGE_SECONDS)
        Report.objects.filter(id=number).update(written=page + 1)
    Report.objects.filter(id=number).update(done=True)
