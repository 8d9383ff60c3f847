"""Addresses of the pages about entities and doubtful links."""

from django.urls import path

from serving.console.pages import doubts, entities

urlpatterns = [
    path("entities/<str:key>/", entities.entity, name="entity"),
    path(
        "entities/<str:key>/disclose/", entities.entity_disclose, name="entity-disclose"
    ),
    path("doubts/", doubts.doubts, name="doubts"),
    path("doubts/judge/", doubts.judge, name="judge"),
    path("doubts/disclose/", doubts.doubt_disclose, name="doubt-disclose"),
]
