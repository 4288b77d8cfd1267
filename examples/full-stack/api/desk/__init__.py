"""The report desk."""

from .queue import app as celery_app

__all__ = ["celery_app"]
