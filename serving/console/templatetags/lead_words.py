"""Titles of states, causes and marks in templates."""

from django import template

from serving.console.lead_words import FOUND_BY
from serving.console.review_words import CAUSE_TITLES, STATE_TITLES

register = template.Library()


@register.filter
def state_title(state: str) -> str:
    return str(STATE_TITLES.get(state, state))


@register.filter
def cause_title(cause: str) -> str:
    return str(CAUSE_TITLES.get(cause, cause))


@register.filter
def found_title(found_by: str) -> str:
    return str(FOUND_BY.get(found_by, found_by))
