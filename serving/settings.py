"""Django's settings. Importing them creates nothing and opens nothing."""

from configs.settings import Settings
from serving.database import database_entry
from serving.secret import lazy_secret_key

_settings = Settings()

SECRET_KEY = lazy_secret_key(_settings)
DEBUG = False
INSTALLED_APPS = ["serving.leads"]
DATABASES = {"default": database_entry(_settings.store)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
