"""Signing in and out, the second factor, and a user's own settings."""

import base64
import io
from typing import Any, cast

import qrcode
import qrcode.image.svg
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.forms import (
    AuthenticationForm,
    PasswordChangeForm,
    UsernameField,
)
from django.contrib.auth.views import LoginView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from django_otp import login as verified
from django_otp import match_token
from django_otp.plugins.otp_totp.models import TOTPDevice

from serving.access.models import User
from serving.audit.chain import record
from serving.console.access import signed_in, user_of


class SignInForm(AuthenticationForm):
    error_messages = {  # noqa: RUF012  as Django reads it
        **AuthenticationForm.error_messages,
        "invalid_login": _("This user name or this password is wrong."),
    }
    username = UsernameField(
        label=_("User name"), widget=forms.TextInput({"autofocus": ""})
    )


class SignIn(LoginView):
    """The sign-in page; a service account cannot use it, having no password."""

    template_name = "console/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "label_suffix": ""}

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        record("signed in", user=form.get_user().username)
        return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    if isinstance(request.user, User):
        record("signed out", user=request.user.username)
    logout(request)
    return redirect("sign-in")


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code of your second factor"),
        max_length=8,
        widget=forms.TextInput(
            {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": ""}
        ),
    )


@signed_in
def second_factor(request: HttpRequest) -> HttpResponse:
    form = CodeForm(request.POST or None, label_suffix="")
    if request.method == "POST" and form.is_valid():
        device = match_token(user_of(request), form.cleaned_data["code"])
        if device is not None:
            verified(request, device)
            return redirect(_next_of(request))
        form.add_error("code", _("This code is wrong or was used already."))
    return render(request, "console/second_factor.html", {"form": form})


@signed_in
def account(request: HttpRequest) -> HttpResponse:
    """Password, language and second factor of the user."""
    user = user_of(request)
    asked = request.POST.get("what", "")
    data = request.POST if asked == "password" else None
    passwords = PasswordChangeForm(cast(Any, user), data, label_suffix="")
    # The page is about more than the password: it opens at its top.
    passwords.fields["old_password"].widget.attrs.pop("autofocus", None)
    codes = CodeForm(request.POST if asked == "factor" else None, label_suffix="")
    codes.fields["code"].widget.attrs.pop("autofocus", None)
    if asked == "password" and passwords.is_valid():
        with transaction.atomic():
            passwords.save()
            record("changed own password", user=user.username)
        update_session_auth_hash(request, user)
        messages.success(request, _("Your password was changed."))
        return redirect("account")
    if asked == "factor" and codes.is_valid():
        return _confirm_factor(request, user, codes)
    if asked == "remove":
        with transaction.atomic():
            TOTPDevice.objects.devices_for_user(user).delete()
            record("removed own second factor", user=user.username)
        return redirect("account")
    return _account_page(request, user, passwords, codes)


def _account_page(
    request: HttpRequest, user: User, passwords: Any, codes: CodeForm
) -> HttpResponse:
    confirmed = TOTPDevice.objects.devices_for_user(user, confirmed=True).exists()
    context = {
        "passwords": passwords,
        "codes": codes,
        "has_factor": confirmed,
        "qr": None if confirmed else _picture(_new_device(user)),
        "languages": settings.LANGUAGES,
    }
    return render(request, "console/account.html", context)


def _new_device(user: User) -> TOTPDevice:
    device, _made = TOTPDevice.objects.get_or_create(
        user=user, confirmed=False, defaults={"name": "authenticator"}
    )
    return device


def _picture(device: TOTPDevice) -> dict[str, str]:
    """The QR code as a data address, and the key for typing."""
    out = io.BytesIO()
    image = qrcode.make(device.config_url, image_factory=qrcode.image.svg.SvgPathImage)
    image.save(out)
    picture = base64.b64encode(out.getvalue()).decode()
    return {
        "src": f"data:image/svg+xml;base64,{picture}",
        "key": base64.b32encode(device.bin_key).decode(),
    }


def _confirm_factor(request: HttpRequest, user: User, codes: CodeForm) -> HttpResponse:
    device = _new_device(user)
    if device.verify_token(codes.cleaned_data["code"]):
        with transaction.atomic():
            device.confirmed = True
            device.save()
            record("set up a second factor", user=user.username)
        verified(request, device)
        messages.success(request, _("Your second factor is on."))
        return redirect("account")
    codes.add_error("code", _("This code is wrong or was used already."))
    return _account_page(request, user, PasswordChangeForm(cast(Any, user)), codes)


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    language = request.POST.get("language", "")
    response = redirect(_next_of(request))
    if language in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        if isinstance(request.user, User):
            User.objects.filter(id=request.user.id).update(language=language)
    return response


def _next_of(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    hosts = {request.get_host()}
    safe = url_has_allowed_host_and_scheme(wanted, hosts, request.is_secure())
    return wanted if safe else "home"
