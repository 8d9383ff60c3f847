"""The console as a WSGI application, on the store of the environment."""

from importlib import import_module

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from configs.settings import Settings
from serving.connect import open_store

open_store(Settings())
application = get_wsgi_application()
# Imports all pages now, which takes a second, not while the first analyst waits.
_ = get_resolver().url_patterns
import_module("serving.console.boards.drawing")  # nor pictures while they wait
