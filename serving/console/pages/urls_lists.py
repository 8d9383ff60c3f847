"""Addresses of the pages about lists."""

from django.urls import path

from serving.console.pages import (
    lists,
    lists_assign,
    lists_export,
    lists_orders,
    lists_views,
)

urlpatterns = [
    path("models/<slug:model>/", lists.newest, name="list-newest"),
    path("runs/<str:run_id>/", lists.listing, name="list"),
    path("runs/<str:run_id>/search/", lists.search, name="list-search"),
    path("runs/<str:run_id>/assign/", lists_assign.assign_leads, name="list-assign"),
    path("runs/<str:run_id>/orders/", lists_orders.orders, name="orders"),
    path("runs/<str:run_id>/views/", lists_views.save, name="view-save"),
    path("views/<int:view_id>/delete/", lists_views.delete, name="view-delete"),
    path(
        "runs/<str:run_id>/export.<str:form>", lists_export.export, name="list-export"
    ),
]
