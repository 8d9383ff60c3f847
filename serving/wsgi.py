"""The console as a WSGI application, on the store of the environment."""

from django.core.wsgi import get_wsgi_application

from configs.settings import Settings
from serving.connect import open_store

open_store(Settings())
application = get_wsgi_application()
