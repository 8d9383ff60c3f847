"""Addresses of the pages of auditors and administrators."""

from django.urls import path

from serving.console.pages import audit, people

urlpatterns = [
    path("audit/", audit.audit, name="audit"),
    path("audit/verify/", audit.audit_verify, name="audit-verify"),
    path("audit/export.csv", audit.audit_export, name="audit-export"),
    path("audit/sign-ins/", audit.sign_ins, name="audit-sign-ins"),
    path("people/", people.people, name="people"),
    path("people/add/", people.people_add, name="people-add"),
    path("people/<int:user_id>/", people.person, name="person"),
    path("people/<int:user_id>/change/", people.person_change, name="person-change"),
]
