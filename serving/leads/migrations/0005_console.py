"""What the console needs: offices, peers, what data say of lawful explanations, causes."""

from typing import Any

from django.db import migrations, models

from serving.leads.immutability import install_guards, remove_guards


def _text() -> Any:
    return models.TextField(default="")


class Migration(migrations.Migration):
    dependencies = (("leads", "0004_model_digest"),)
    operations = (
        migrations.RunPython(remove_guards, install_guards),
        migrations.AddField("run", "about", models.JSONField(default=dict)),
        migrations.AddField("lead", "office", models.TextField(null=True)),
        migrations.AddField("lead", "peer_percentile", models.FloatField(null=True)),
        migrations.AddField("rulehit", "says_en", _text()),
        migrations.AddField("rulehit", "says_zh", _text()),
        migrations.AddField("disposition", "cause", _text()),
        migrations.AddField("disposition", "seconded_by", _text()),
        migrations.AddIndex(
            "lead", models.Index(fields=["run", "office", "rank_fused"], name="lead_office")
        ),
        migrations.AddIndex(
            "lead", models.Index(fields=["run", "group_id"], name="lead_group")
        ),
        migrations.AddIndex("lead", models.Index(fields=["unit_id"], name="lead_everywhere")),
        migrations.AddIndex(
            "lead", models.Index(fields=["run", "-money", "rank_fused"], name="lead_money")
        ),
        migrations.AddIndex(
            "lead",
            models.Index(fields=["run", "found_by", "rank_fused"], name="lead_found"),
        ),
        migrations.AddIndex(
            "rulehit", models.Index(fields=["code", "lead"], name="hit_by_code")
        ),
        migrations.AddIndex(
            "disposition", models.Index(fields=["model", "at"], name="disposed_at")
        ),
        migrations.RunPython(install_guards, remove_guards),
    )
