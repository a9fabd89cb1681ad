"""The recipe for a new technique, followed in a copy of the course."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reglib.exercises.__main__ import main, skeleton, write_skeleton
from tests import ROOT


def copy_of_the_course(folder: Path) -> Path:
    """Copy what git has, or would be given, as a clone holds it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return copy_of_the_course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def run(course):
    """A function that runs a Python program in the copy, with the copy's packages."""

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=course, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": f"{course}:{course / 'book' / '_ext'}"},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout

    return run


@pytest.mark.slow
def test_a_new_technique_is_tested_released_and_in_the_book_without_being_listed(course, run):
    said = run("-m", "reglib.exercises", "new", "09", "soft-targets", "--function", "blend")
    assert "solutions/09-soft-targets/09-soft-targets.ipynb" in said
    nbgrader = str(Path(sys.executable).with_name("nbgrader"))
    run(nbgrader, "generate_assignment", "--force", "--log-level=ERROR", "09-soft-targets")

    tests = ["tests/reglib/exercises", "tests/solutions/test_notebooks.py"]
    ran = run("-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, "-k", "blend or 09-soft")
    assert int(ran.rpartition("\n")[0].rpartition("\n")[2].split(" passed")[0]) > 15
    run("-m", "ruff", "check", "--no-cache", ".")
    run("-m", "ruff", "format", "--no-cache", "--check", ".")
    run("-m", "mypy", "--cache-dir", str(course / ".mypy"), "reglib/exercises/soft_targets.py")

    # The other chapters' outputs come from where `make book` put them.
    shutil.copytree(ROOT / "_build" / ".jupyter_cache", course / "_build" / ".jupyter_cache")
    run("book/build.py", "-W", "-n", "--keep-going", "-q")
    site = course / "_build" / "html"
    assert "blend" in (site / "chapters" / "09-soft-targets.html").read_text("utf-8")
    assert (site / "exercises" / "09-soft-targets" / "09-soft-targets.ipynb").exists()
    first = (site / "index.html").read_text("utf-8")
    assert first.count("Soft targets") >= 4  # the path twice, its card, the list at the side


def test_what_is_there_is_left_alone(tmp_path, monkeypatch, capsys):
    for room in ("solutions", "book/chapters", "reglib/exercises", "reglib/textbook"):
        (tmp_path / room).mkdir(parents=True)
    mine = tmp_path / "book" / "chapters" / "09-mixing.md"
    mine.write_text("mine")
    monkeypatch.chdir(tmp_path)
    assert main(["new", "09", "mixing"]) == 1
    assert "already there, and left alone: book/chapters/09-mixing.md" in capsys.readouterr().err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]
    assert mine.read_text() == "mine"


def test_elsewhere_than_in_the_course_nothing_is_written(tmp_path):
    with pytest.raises(FileNotFoundError, match="is not the course's folder: it has no solutions/"):
        write_skeleton(tmp_path, skeleton(9, "mixing"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((100, "mixing"), "number must be in 0 to 99, got 100"),
        ((9, "Mixing"), "name must be of small letters"),
        ((9, "../mixing"), "name must be of small letters"),
        ((9, "mixing", "soft targets"), "function must be a name of Python"),
    ],
)
def test_an_unfit_name_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        skeleton(*arguments)
