"""Slots, dispositions and releases; bands, kinds of reasons and frozen inputs of a run."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from serving.leads.immutability import install_guards, remove_guards


def _row_id() -> Any:
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


def _hangs_on(parent: str, rows: str) -> Any:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT,
        related_name=rows,
        to=f"leads.{parent}",
        db_index=False,
    )


def _once(name: str, *fields: str) -> dict[str, Any]:
    return {"constraints": [models.UniqueConstraint(fields=fields, name=name)]}


def _indexed(name: str, *fields: str) -> dict[str, Any]:
    return {"indexes": [models.Index(fields=list(fields), name=name)]}


class Migration(migrations.Migration):
    dependencies = (("leads", "0002_guards"),)
    operations = (
        migrations.RunPython(remove_guards, install_guards),
        migrations.AddField("run", "files", models.JSONField(default=dict)),
        migrations.AddField(
            "run", "form", models.PositiveSmallIntegerField(default=1)
        ),
        migrations.AddField("lead", "band_low", models.FloatField(null=True)),
        migrations.AddField("lead", "band_high", models.FloatField(null=True)),
        migrations.AddField("reason", "kind", models.TextField(default="value")),
        migrations.CreateModel(
            name="Slot",
            fields=[
                ("id", _row_id()),
                ("position", models.PositiveIntegerField()),
                ("kind", models.TextField()),
                ("stratum", models.TextField()),
                ("propensity", models.FloatField()),
                (
                    "lead",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="slot",
                        to="leads.lead",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Part",
            fields=[
                ("id", _row_id()),
                ("position", models.PositiveIntegerField()),
                ("part", models.TextField()),
                ("contribution", models.FloatField()),
                ("text_en", models.TextField()),
                ("text_zh", models.TextField()),
                ("lead", _hangs_on("lead", "parts")),
            ],
            options=_once("part_once", "lead", "position"),
        ),
        migrations.CreateModel(
            name="Counterfactual",
            fields=[
                ("id", _row_id()),
                ("position", models.PositiveIntegerField()),
                ("rank", models.PositiveIntegerField()),
                ("text_en", models.TextField()),
                ("text_zh", models.TextField()),
                ("lead", _hangs_on("lead", "counterfactuals")),
            ],
            options=_once("fall_once", "lead", "position"),
        ),
        migrations.CreateModel(
            name="Disposition",
            fields=[
                ("id", _row_id()),
                ("model", models.TextField()),
                ("unit_id", models.TextField()),
                ("verdict", models.TextField()),
                ("reason", models.TextField()),
                ("user", models.TextField()),
                ("at", models.DateTimeField()),
                ("run", _hangs_on("run", "dispositions")),
            ],
            options=_indexed("disposed", "model", "unit_id"),
        ),
        migrations.CreateModel(
            name="Release",
            fields=[
                ("id", _row_id()),
                ("model", models.TextField()),
                ("version", models.TextField()),
                ("action", models.TextField()),
                ("reason", models.TextField()),
                ("user", models.TextField()),
                ("at", models.DateTimeField()),
            ],
            options=_indexed("released", "model", "version"),
        ),
        migrations.RunPython(install_guards, remove_guards),
    )
