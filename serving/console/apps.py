from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "serving.console"
    label = "console"
