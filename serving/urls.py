"""Addresses of the console and the API."""

from django.urls import include, path

urlpatterns = [
    path("", include("serving.console.urls")),
    path("api/", include("serving.api.urls")),
]
