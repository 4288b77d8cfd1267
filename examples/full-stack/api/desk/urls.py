"""Where what is."""

from django.urls import path

from reports import views

urlpatterns = [
    path("api/health", views.health),
    path("api/ready", views.ready),
    path("api/version", views.version),
    path("api/reports", views.reports),
    path("api/reports/<int:number>", views.report),
]
