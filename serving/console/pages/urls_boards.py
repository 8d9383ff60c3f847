"""Addresses of the pages about boards."""

from django.urls import path

from serving.console.pages import boards

urlpatterns = [
    path("boards/", boards.boards, name="boards"),
    path("boards/<slug:model>/", boards.board, name="board"),
    path("boards/<slug:model>/<str:name>.svg", boards.chart, name="chart"),
]
