"""The store's tables."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def _belongs_to(parent: str, rows: str, *, db_index: bool = False) -> Any:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT,
        related_name=rows,
        to=f"leads.{parent}",
        db_index=db_index,
    )


def _row_id() -> Any:
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


def _unique(name: str, *fields: str) -> models.UniqueConstraint:
    return models.UniqueConstraint(fields=fields, name=name)


def _tie() -> list[tuple[str, Any]]:
    return [
        ("left_kind", models.TextField()),
        ("left", models.TextField()),
        ("right_kind", models.TextField()),
        ("right", models.TextField()),
        ("role_en", models.TextField()),
        ("role_zh", models.TextField()),
        ("source", models.TextField()),
        ("department_en", models.TextField()),
        ("department_zh", models.TextField()),
        ("row_key", models.TextField()),
        ("rows", models.BigIntegerField()),
        ("event_at", models.DateTimeField(null=True)),
        ("known_at", models.DateTimeField(null=True)),
        ("probability", models.FloatField()),
    ]


class Migration(migrations.Migration):
    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            name="SupervisionModel",
            fields=[
                (
                    "id",
                    models.SlugField(
                        db_index=False,
                        max_length=100,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("title_en", models.TextField()),
                ("title_zh", models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name="Run",
            fields=[
                ("id", models.TextField(primary_key=True, serialize=False)),
                ("as_of", models.DateTimeField()),
                ("inputs", models.TextField()),
                ("config_hash", models.TextField()),
                ("mlflow_run", models.TextField()),
                ("model_version", models.TextField()),
                ("units", models.PositiveIntegerField()),
                ("counts", models.JSONField()),
                ("funnel", models.JSONField()),
                ("coverage", models.JSONField()),
                ("fingerprints", models.JSONField()),
                ("kinds", models.JSONField()),
                ("links", models.JSONField()),
                ("scores_path", models.TextField()),
                ("scores_sha256", models.TextField()),
                ("digest", models.TextField()),
                ("published_at", models.DateTimeField()),
                ("model", _belongs_to("supervisionmodel", "runs")),
            ],
            options={"constraints": [_unique("run_once", "model", "as_of", "inputs")]},
        ),
        migrations.CreateModel(
            name="RunRule",
            fields=[
                ("id", _row_id()),
                ("code", models.TextField()),
                ("layer", models.PositiveSmallIntegerField()),
                ("lawful_en", models.TextField()),
                ("lawful_zh", models.TextField()),
                ("hits", models.PositiveIntegerField()),
                ("run", _belongs_to("run", "rules")),
            ],
            options={"constraints": [_unique("run_rule_once", "run", "code")]},
        ),
        migrations.CreateModel(
            name="Lead",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("unit_id", models.TextField()),
                ("title", models.TextField()),
                ("money", models.FloatField(null=True)),
                ("score", models.FloatField()),
                ("rules", models.FloatField()),
                ("fused", models.FloatField()),
                ("rank_score", models.PositiveIntegerField()),
                ("rank_rules", models.PositiveIntegerField()),
                ("rank_fused", models.PositiveIntegerField()),
                ("found_by", models.TextField()),
                ("silent", models.TextField()),
                ("group_id", models.TextField(null=True)),
                ("run", _belongs_to("run", "leads")),
            ],
            options={
                "constraints": [
                    _unique("lead_unit", "run", "unit_id"),
                    _unique("lead_fused", "run", "rank_fused"),
                    _unique("lead_score", "run", "rank_score"),
                    _unique("lead_rules", "run", "rank_rules"),
                ]
            },
        ),
        migrations.CreateModel(
            name="Group",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("group_id", models.TextField()),
                ("rank", models.PositiveIntegerField()),
                ("score", models.FloatField()),
                ("title", models.TextField()),
                ("units", models.PositiveIntegerField()),
                ("money", models.FloatField(null=True)),
                ("density", models.FloatField()),
                ("codes", models.TextField()),
                ("reason_en", models.TextField()),
                ("reason_zh", models.TextField()),
                ("run", _belongs_to("run", "groups")),
            ],
            options={
                "constraints": [
                    _unique("group_rank", "run", "rank"),
                    _unique("group_once", "run", "group_id"),
                ]
            },
        ),
        migrations.CreateModel(
            name="RuleHit",
            fields=[
                ("id", _row_id()),
                ("code", models.TextField()),
                ("layer", models.PositiveSmallIntegerField()),
                ("reason_en", models.TextField()),
                ("reason_zh", models.TextField()),
                ("lead", _belongs_to("lead", "hits")),
            ],
            options={"constraints": [_unique("hit_once", "lead", "code")]},
        ),
        migrations.CreateModel(
            name="Reason",
            fields=[
                ("id", _row_id()),
                ("position", models.PositiveIntegerField()),
                ("feature", models.TextField()),
                ("value", models.TextField(null=True)),
                ("peer_median", models.TextField(null=True)),
                ("percentile", models.FloatField(null=True)),
                ("contribution", models.FloatField(null=True)),
                ("text_en", models.TextField()),
                ("text_zh", models.TextField()),
                ("lead", _belongs_to("lead", "reasons")),
            ],
            options={"constraints": [_unique("reason_once", "lead", "position")]},
        ),
        migrations.CreateModel(
            name="Evidence",
            fields=[
                ("id", _row_id()),
                ("source", models.TextField()),
                ("department_en", models.TextField()),
                ("department_zh", models.TextField()),
                ("batch", models.TextField()),
                ("row_key", models.TextField()),
                ("line", models.BigIntegerField(null=True)),
                ("lead", _belongs_to("lead", "evidence", db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="GroupMember",
            fields=[
                ("id", _row_id()),
                ("position", models.PositiveIntegerField()),
                ("group", _belongs_to("group", "members")),
                (
                    "lead",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="membership",
                        to="leads.lead",
                    ),
                ),
            ],
            options={"constraints": [_unique("member_once", "group", "position")]},
        ),
        migrations.CreateModel(
            name="GroupTie",
            fields=[
                ("id", _row_id()),
                *_tie(),
                ("position", models.PositiveIntegerField()),
                ("group", _belongs_to("group", "ties")),
            ],
            options={"constraints": [_unique("tie_once", "group", "position")]},
        ),
        migrations.CreateModel(
            name="PathStep",
            fields=[
                ("id", _row_id()),
                *_tie(),
                ("path", models.PositiveIntegerField()),
                ("step", models.PositiveIntegerField()),
                ("other", models.TextField()),
                ("lead", _belongs_to("lead", "steps")),
            ],
            options={"constraints": [_unique("step_once", "lead", "path", "step")]},
        ),
        migrations.CreateModel(
            name="LinkJudgement",
            fields=[
                ("id", _row_id()),
                ("model", models.TextField()),
                ("entity", models.TextField()),
                ("left", models.TextField()),
                ("right", models.TextField()),
                ("verdict", models.TextField()),
                ("note", models.TextField()),
                ("user", models.TextField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["model", "entity", "left", "right"], name="judged"
                    )
                ]
            },
        ),
    )
