"""What users typed about units and did not send yet."""

from collections.abc import Mapping

from serving.review.models import Draft

FIELDS = ("verdict", "cause", "reason")
LONGEST = 10_000  # characters kept of one field


def keep(user: str, model: str, unit_id: str, form: Mapping[str, str]) -> bool:
    """Keep what is typed, instead of what was kept before; False when it is nothing."""
    typed = {name: value for name, value in form.items() if value.strip()}
    if not typed:
        drop(user, model, [unit_id])
        return False
    Draft.objects.update_or_create(
        user=user,
        model=model,
        unit_id=unit_id,
        defaults={"form": {name: value[:LONGEST] for name, value in typed.items()}},
    )
    return True


def kept(user: str, model: str, unit_id: str) -> Draft | None:
    """What the user had typed, if it was not sent since."""
    return Draft.objects.filter(user=user, model=model, unit_id=unit_id).first()


def drop(user: str, model: str, unit_ids: list[str]) -> None:
    """Forget it, such as once it was sent."""
    Draft.objects.filter(user=user, model=model, unit_id__in=unit_ids).delete()


def key_of_group(group_id: int) -> str:
    """Under which a form about a whole group is kept; no unit is called so."""
    return f"\x1fgroup {group_id}"
