"""Addresses of the pages about leads."""

from django.urls import path

from serving.console.pages import lead, lead_sheet

urlpatterns = [
    path("leads/<int:lead_id>/", lead.lead, name="lead"),
    path("leads/<int:lead_id>/graph/", lead.graph, name="lead-graph"),
    path("leads/<int:lead_id>/disclose/", lead.disclose, name="lead-disclose"),
    path("leads/<int:lead_id>/sheet.pdf", lead_sheet.sheet, name="lead-sheet"),
]
