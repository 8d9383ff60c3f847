"""Every text of the console is there in Chinese, and compiled."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SERVING = Path(__file__).parents[2] / "serving"
PLACE = Path("locale/zh_Hans/LC_MESSAGES")
CATALOGUE = SERVING / PLACE / "django.po"

pytestmark = pytest.mark.skipif(
    shutil.which("msgfmt") is None, reason="no gettext: `make browser` installs it"
)


def output(*command: str, cwd: Path = SERVING) -> bytes:
    done = subprocess.run(command, cwd=cwd, check=True, capture_output=True)
    return done.stdout


def test_no_text_is_without_its_chinese() -> None:
    assert output("msgattrib", "--untranslated", "--no-obsolete", str(CATALOGUE)) == b""
    assert output("msgattrib", "--only-fuzzy", str(CATALOGUE)) == b""


def test_what_is_compiled_is_what_is_written() -> None:
    compiled = output("msgfmt", "--check", "-o", "-", str(CATALOGUE))
    assert (SERVING / PLACE / "django.mo").read_bytes() == compiled


def test_every_text_was_collected(tmp_path: Path) -> None:
    copy = tmp_path / "serving"
    shutil.copytree(SERVING, copy, ignore=shutil.ignore_patterns("__pycache__"))
    collect = ("makemessages", "-l", "zh_Hans", "--no-location", "--no-obsolete")
    output(sys.executable, "-m", "serving", *collect, cwd=copy)
    collected = copy / PLACE / "django.po"
    assert output("msgattrib", "--untranslated", str(collected)) == b""
