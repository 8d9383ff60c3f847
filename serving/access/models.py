"""Users and what they were granted."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models


class UserManager(BaseUserManager["User"]):
    def create_user(
        self, username: str, password: str | None = None, **further: Any
    ) -> "User":
        user = self.model(username=username, **further)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A person, or a service when `is_service`: a service signs in by token alone."""

    username = models.CharField(max_length=100, unique=True)
    name = models.TextField(default="")
    language = models.CharField(max_length=10, default="zh-hans")
    is_active = models.BooleanField(default=True)
    is_service = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "username"

    def __str__(self) -> str:
        return self.name or self.username


class Grant(models.Model):
    """A role for one supervision model and office; empty means all of them."""

    user = models.ForeignKey(User, models.CASCADE, related_name="grants")
    role = models.TextField()  # see serving.access.rights.ROLES
    model = models.TextField(default="")
    office = models.TextField(default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["user", "role", "model", "office"], name="granted_once"
            ),
        )


class ServiceToken(models.Model):
    """A service's key to the API; only its digest is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.TextField()
    digest = models.CharField(max_length=64, unique=True)  # SHA-256, hex
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
