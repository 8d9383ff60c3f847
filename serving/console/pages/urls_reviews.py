"""Addresses of the pages about reviews."""

from django.urls.resolvers import URLPattern

urlpatterns: list[URLPattern] = []
