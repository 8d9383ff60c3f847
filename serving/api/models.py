"""What makes a write of the API safe to send again."""

from django.db import models


class KeptAnswer(models.Model):
    """The answer to a write under an Idempotency-Key; only ever added to."""

    user = models.TextField()
    key = models.TextField()
    digest = models.CharField(max_length=64)  # of what was asked: SHA-256, hex
    status = models.PositiveSmallIntegerField()
    answer = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user", "key"], name="answered_once"),
        )
