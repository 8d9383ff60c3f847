from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "serving.review"
    label = "review"
