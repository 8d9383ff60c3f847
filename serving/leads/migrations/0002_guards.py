"""Triggers that keep a published run as it is."""

from django.db import migrations

from serving.leads.immutability import install_guards, remove_guards


class Migration(migrations.Migration):
    dependencies = (("leads", "0001_initial"),)
    operations = (migrations.RunPython(install_guards, remove_guards),)
