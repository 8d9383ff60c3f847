"""Addresses of the pages about leads."""

from django.urls.resolvers import URLPattern

urlpatterns: list[URLPattern] = []
