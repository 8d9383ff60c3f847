from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "serving.access"
    label = "access"
