"""Reports, for Django."""

from django.apps import AppConfig


class Reports(AppConfig):
    name = "reports"
