"""Addresses of the pages about boards."""

from django.urls.resolvers import URLPattern

urlpatterns: list[URLPattern] = []
