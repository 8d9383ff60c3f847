"""Addresses of the pages about office."""

from django.urls.resolvers import URLPattern

urlpatterns: list[URLPattern] = []
