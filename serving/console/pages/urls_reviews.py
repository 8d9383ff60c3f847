"""Addresses of the pages about reviews."""

from django.urls import path

from serving.console.pages import decide, groups, queue, teams

urlpatterns = [
    path("leads/<int:lead_id>/decide/", decide.decide_page, name="decide"),
    path("leads/<int:lead_id>/draft/", decide.draft_page, name="draft"),
    path("leads/<int:lead_id>/second/", decide.second_page, name="second"),
    path("groups/<int:group_id>/", groups.group_page, name="group"),
    path("groups/<int:group_id>/decide/", groups.decide_page, name="group-decide"),
    path("groups/<int:group_id>/draft/", groups.draft_page, name="group-draft"),
    path("groups/<int:group_id>/second/", groups.second_page, name="group-second"),
    path("queue/", queue.queue_page, name="queue"),
    path("queue/take/", queue.take_page, name="take"),
    path("queue/overdue/", queue.overdue_page, name="overdue"),
    path("teams/", teams.teams_page, name="teams"),
]
