"""Which language the page that is being made is in."""

from django.utils import translation


def language() -> str:
    """`en` or `zh`, as the texts of the store end."""
    return "zh" if (translation.get_language() or "").startswith("zh") else "en"
