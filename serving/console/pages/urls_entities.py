"""Addresses of the pages about entities."""

from django.urls.resolvers import URLPattern

urlpatterns: list[URLPattern] = []
