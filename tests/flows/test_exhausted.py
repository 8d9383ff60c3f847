"""A machine that is too small for the work: what is said, and that nothing is lost."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from configs.errors import DeclarationError
from flows.catalog import Limits, opened
from tests.flows.homes import ROOT, Home

pytestmark = pytest.mark.slow

# Sorts more than fits into the memory it is given.
SORTING = """
import sys
from pathlib import Path
import ibis
from configs.errors import LeadlineError
from flows.catalog import Limits, opened

folder, spill, memory = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
try:
    with opened(folder, Limits(memory, 1, spill)) as catalog:
        many = catalog.sql("many", "SELECT range AS n FROM range(3000000)")
        text = many.mutate(text=many["n"].cast("string").hexdigest("md5"))
        catalog.write(text.order_by("text"), "sorted")
except LeadlineError as error:
    sys.exit(str(error))
"""


def small_disk(
    command: list[str], place: Path, size: str
) -> subprocess.CompletedProcess[str]:
    """A process for which `place` is a disk of its own."""
    place.mkdir()
    mounted = f'mount -t tmpfs -o size={size} tmpfs "{place}" && exec "$@"'
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", mounted, "sh", *command],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip


def can_mount() -> bool:
    found = shutil.which("unshare")
    return bool(found) and subprocess.run(
        ["unshare", "-rm", "true"], capture_output=True, check=False
    ).returncode == 0  # fmt: skip


@pytest.mark.skipif(not can_mount(), reason="needs unshare(1) to make a small disk")
def test_a_full_spill_disk_is_named_and_leaves_no_table(tmp_path: Path) -> None:
    spill, folder = tmp_path / "disk", tmp_path / "work"
    command = [sys.executable, "-c", SORTING, str(folder), str(spill), "60MB"]

    done = small_disk(command, spill, "2m")

    assert done.returncode == 1
    assert f"the disk is full: {spill}" in done.stderr
    assert "LEADLINE_SPILL" in done.stderr
    assert "Nothing was published" in done.stderr
    assert not (folder / "sorted.parquet").exists()


@pytest.mark.skipif(not can_mount(), reason="needs unshare(1) to make a small disk")
def test_a_full_disk_publishes_nothing_and_a_rerun_completes(
    unpublished: Home, template: Home, delivered: Path, tmp_path: Path
) -> None:
    work = unpublished.path / "var" / "work"
    command = ["env", *(f"{k}={v}" for k, v in unpublished.environment().items())]
    score = unpublished.command("score", "tiny", "--data", delivered)

    done = small_disk([*command, *score], work, "256k")

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Nothing was published" in done.stderr
    assert unpublished.inside("leads", "tiny").returncode != 0
    unpublished.ok("score", "tiny", "--data", delivered)
    assert unpublished.leads() == template.leads()


def test_a_memory_limit_that_is_hit_is_named_and_a_rerun_completes(
    unpublished: Home, template: Home, delivered: Path
) -> None:
    done = unpublished.run("score", "tiny", "--data", delivered, LEADLINE_MEMORY="1MB")

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "LEADLINE_MEMORY" in done.stderr
    assert "Nothing was published" in done.stderr
    assert unpublished.inside("leads", "tiny").returncode != 0
    unpublished.ok("score", "tiny", "--data", delivered)
    assert unpublished.leads() == template.leads()


def test_more_than_memory_is_spilled_and_gives_the_same(tmp_path: Path) -> None:
    for name, memory in (("large", ""), ("small", "80MB")):
        command = [sys.executable, "-c", SORTING, tmp_path / name, tmp_path, memory]
        subprocess.run([str(part) for part in command], cwd=ROOT, check=True)
    large, small = (tmp_path / n / "sorted.parquet" for n in ("large", "small"))
    assert large.read_bytes() == small.read_bytes()


def test_a_size_that_is_none_is_refused(tmp_path: Path) -> None:
    wanted = pytest.raises(DeclarationError, match="LEADLINE_MEMORY='much'")
    with wanted, opened(tmp_path, Limits("much")):
        pass
