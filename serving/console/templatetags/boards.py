"""Shares in templates, in the user's language."""

from django import template

from serving.console.boards import wording
from serving.console.boards.intervals import Share

register = template.Library()


@register.filter
def percent(value: float | None) -> str:
    return wording.percent(value)


@register.filter
def interval(share: Share) -> str:
    return wording.interval(share)
