"""Addresses of the API."""

from django.urls import path, re_path

from serving.api.api import api
from serving.api.problems import nothing_there

urlpatterns = [
    path("", nothing_there),
    path("", api.urls),
    re_path("", nothing_there),
]
