"""The large list for measuring the console is one that could have been published."""

import sys

from benchmarks import load_store
from configs.settings import Settings
from serving.access.models import User
from serving.connect import close_store
from serving.leads.models import Run
from serving.verify import verify
from tests.serving import dossiers


def test_a_list_is_published_with_its_users_and_is_sound(tmp_path, monkeypatch):
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path))
    monkeypatch.delenv("LEADLINE_STORE_URL", raising=False)
    monkeypatch.setattr(dossiers, "KEY", dossiers.KEY)  # which is put back afterwards
    given = f"--leads 200 --home {tmp_path} --password a-long-enough-1"
    monkeypatch.setattr(sys, "argv", ["load_store", *given.split()])
    load_store.main()
    run = Run.objects.get()
    assert run.units == 200
    assert run.leads.filter(found_by="both").exists()
    assert set(run.files) >= {"rows", "nodes", "ties", "tokens", "doubts", "likes"}
    assert User.objects.get(username="analyst50").check_password("a-long-enough-1")
    assert verify(Settings()) == []
    close_store()
