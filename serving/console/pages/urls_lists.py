"""Addresses of the pages about lists."""

from django.urls.resolvers import URLPattern

urlpatterns: list[URLPattern] = []
