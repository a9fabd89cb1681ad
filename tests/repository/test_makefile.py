"""What `make` says, and what it leaves out."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests import ROOT


def make(*arguments: str) -> str:
    done = subprocess.run(
        ["make", "--silent", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return done.stdout


def test_elsewhere_than_on_linux_grading_is_left_out_with_a_sentence():
    said = make("SYSTEM=Darwin", "grade")
    assert (
        said
        == "The class in submitted/ is not graded: the grader needs Linux, and this is Darwin.\n"
    )


def test_elsewhere_the_book_and_the_exercises_are_made_all_the_same():
    planned = make("--dry-run", "--always-make", "SYSTEM=Darwin", "all")
    assert "book/build.py" in planned
    assert "generate_assignment" in planned
    assert "fastgrade --all" not in planned


@pytest.mark.slow
def test_tests_of_one_group_share_a_process(tmp_path):
    """What they share is made once; a release of pytest has undone this without a word."""
    (tmp_path / "test_group.py").write_text(
        "import os, pathlib, pytest\n"
        "pytestmark = pytest.mark.xdist_group('one')\n"
        "@pytest.mark.parametrize('number', range(6))\n"
        "def test_process(number):\n"
        "    pathlib.Path(str(os.getpid())).touch()\n"
    )
    options = re.search(r"--dist loadgroup.*", (ROOT / "Makefile").read_text(encoding="utf-8"))
    subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "3", *options[0].split(), "-p", "no:cacheprovider"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    assert len([path for path in tmp_path.iterdir() if path.name.isdigit()]) == 1


def test_every_room_is_counted():
    counted = {
        room: int(lines.replace(",", ""))
        for lines, room in re.findall(r"^ *([\d,]+)  (\S+)$", make("lines"), re.MULTILINE)
    }
    assert counted["reglib/layers"] > 1000
    assert {"fastgrade/engine", "warmfork", "tests/book"} <= counted.keys()


def test_help_names_every_target_that_is_explained():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    explained = re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE)
    assert [line.split()[1] for line in make("help").splitlines()] == explained
