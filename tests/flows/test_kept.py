"""Finished work is found again when nothing that it depends on has changed."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from configs.settings import Settings
from flows import kept as kept_module
from flows import shelf
from flows.job import KEPT_WORK_FOLDERS, Job, new_job
from flows.kept import kept, made_by
from tests.flows.office import MODELS


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, models=MODELS)


def job(settings: Settings) -> Job:
    return new_job("tiny", "", settings)


def write(own: Job, text: str = "done", name: str = "a.parquet") -> None:
    """As stages write: beside, then renamed."""
    part = own.folder / "a.part"
    part.write_text(text)
    part.replace(own.folder / name)


def worked(own: Job, made_of: object, text: str = "done") -> bool:
    """Was the work done, rather than found?"""
    calls = []

    def work() -> None:
        calls.append(1)
        write(own, text)

    kept(own, "linking", made_of, work)
    assert (own.folder / "a.parquet").read_text() == text
    return bool(calls)


def test_the_same_work_is_found_by_another_run(settings: Settings) -> None:
    assert worked(job(settings), {"rows": 1})
    assert not worked(job(settings), {"rows": 1})


def test_another_input_or_program_does_it_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert worked(job(settings), {"rows": 1})
    assert worked(job(settings), {"rows": 2}, "other")
    monkeypatch.setattr(kept_module, "program", lambda: "another")
    assert worked(job(settings), {"rows": 1})


def test_work_that_broke_off_is_not_found(settings: Settings) -> None:
    own = job(settings)

    def broken() -> None:
        write(own)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        kept(own, "linking", 1, broken)
    assert worked(job(settings), 1)


def test_a_file_that_was_cut_is_made_again(settings: Settings) -> None:
    worked(job(settings), 1)
    (file,) = settings.work.glob("tiny/kept/linking-*/a.parquet")
    file.unlink()
    file.write_text("do")
    assert worked(job(settings), 1)


def test_without_links_a_copy_is_there_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network drive may have no hard links; a copy that breaks off leaves nothing."""
    source, target = tmp_path / "a.parquet", tmp_path / "b.parquet"
    source.write_text("done")

    def no_links(self: Path, other: Path) -> None:
        raise OSError("not supported")

    def broken(source: Path, target: Path) -> None:
        target.write_text("do")
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    with monkeypatch.context() as cut:
        cut.setattr(shutil, "copyfile", broken)
        with pytest.raises(KeyboardInterrupt):
            shelf.link(source, target)
    assert not target.exists()
    shelf.link(source, target)
    assert target.read_text() == "done"
    assert shelf.files(tmp_path).keys() == {source, target}


def test_a_later_stage_of_one_run_does_not_change_what_is_kept(
    settings: Settings,
) -> None:
    own = job(settings)
    worked(own, 1)
    write(own, "replaced later")
    assert not worked(job(settings), 1)


def test_what_does_not_hold_today_is_done_again(settings: Settings) -> None:
    worked(job(settings), 1)
    own, calls = job(settings), []
    kept(own, "linking", 1, lambda: calls.append(1), still=lambda folder: False)
    assert calls


def test_a_list_that_is_compared_is_made_of_nothing_kept(settings: Settings) -> None:
    worked(job(settings), 1)
    assert worked(replace(job(settings), version=1), 1)


def test_a_run_knows_what_it_was_made_by(settings: Settings) -> None:
    own = job(settings)
    worked(own, 1)
    (name,) = made_by(own, "linking", "scores")
    assert name.startswith("linking-")
    assert made_by(own, "scores") == []


def test_what_no_run_uses_any_more_is_removed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked(job(settings), "old")
    # Folders of this very process are never pruned.
    monkeypatch.setattr("flows.job._is_running", lambda folder: False)
    for _ in range(KEPT_WORK_FOLDERS + 1):
        worked(job(settings), "new")
    job(settings)
    (place,) = settings.work.glob("tiny/kept/*")
    assert json.loads((place / "sizes.json").read_text()) == {"a.parquet": 4}
