from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "serving.audit"
    label = "audit"
