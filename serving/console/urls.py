"""Addresses of the pages, part by part."""

from django.urls import include, path

from serving.console.pages import accounts, home

urlpatterns = [
    path("", home.home, name="home"),
    path("sign-in/", accounts.SignIn.as_view(), name="sign-in"),
    path("sign-out/", accounts.sign_out, name="sign-out"),
    path("second-factor/", accounts.second_factor, name="second-factor"),
    path("account/", accounts.account, name="account"),
    path("account/language/", accounts.set_language, name="set-language"),
    path("", include("serving.console.pages.urls_lists")),
    path("", include("serving.console.pages.urls_leads")),
    path("", include("serving.console.pages.urls_reviews")),
    path("", include("serving.console.pages.urls_entities")),
    path("", include("serving.console.pages.urls_boards")),
    path("", include("serving.console.pages.urls_office")),
]
