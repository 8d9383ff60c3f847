"""A run names the digest of the model files that scored it."""

from django.db import migrations, models

from serving.leads.immutability import install_guards, remove_guards


class Migration(migrations.Migration):
    dependencies = (("leads", "0003_review"),)
    operations = (
        migrations.RunPython(remove_guards, install_guards),
        migrations.AddField("run", "model_digest", models.TextField(default="")),
        migrations.RunPython(install_guards, remove_guards),
    )
