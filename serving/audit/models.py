"""The audit log. Triggers (`serving.leads.immutability`) keep entries as they are."""

from django.db import models


class Entry(models.Model):
    """One thing done by one user; `hash` covers it and the hash of the entry before."""

    id = models.BigIntegerField(primary_key=True)  # counts from 1 without a hole
    at = models.DateTimeField()
    user = models.TextField()
    action = models.TextField()
    model = models.TextField(default="")
    run = models.TextField(default="")
    unit = models.TextField(default="")
    detail = models.JSONField(default=dict)
    hash = models.CharField(max_length=64)

    class Meta:
        indexes = (
            models.Index(fields=["user", "at"], name="audit_user"),
            models.Index(fields=["action", "id"], name="audit_action"),
            models.Index(fields=["unit", "id"], name="audit_unit"),
            models.Index(fields=["at"], name="audit_at"),
        )
