"""Plain ``nbgrader autograde`` with our Execute: same grades, same notebook, no hidden source.

nbgrader's own tests of autograde run with `with_our_execute`; what differs there, and why:

- ``test_side_effects``: files that a submission writes lie in a private folder that is removed.
- ``test_hidden_tests_single_notebook``, ``test_hidden_tests_autotest``: hidden tests are cut from
  the autograded notebook, so that feedback cannot show them (``FastGrade.redact_hidden``).
- ``test_missing_source_kernelspec``: an instructor's notebook that names no kernel is one in
  Python; nbgrader fails on it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import NbGrader
from nbgrader.coursedir import CourseDirectory

from fastgrade.course.execute_step import Execute, _close, _grader
from fastgrade.settings import Settings
from tests import ROOT
from tests.fastgrade.attacks.hostile import ANSWERS, SOURCE, STUB, submission

pytestmark = pytest.mark.slow

CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "ps"
c.FastGrade.forbidden_modules = ["answers"]
c.FastGrade.judge_preload = ["numpy", "answers"]
"""
OURS = """
from fastgrade.course.execute_step import use_fastgrade
use_fastgrade(c)
"""
SUBMISSIONS = {
    "right": SOURCE,
    "blank": submission(dict.fromkeys(ANSWERS, STUB), {}),
    "half": submission(
        {**ANSWERS, "square": "def square(x):\n    return x * 3", "fill": "1 / 0"}, {}
    ),
}


def nbgrader(folder, *arguments):
    """Run nbgrader in a course, with a module of answers beside it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture(scope="module", params=["stock", "ours"])
def course(request, tmp_path_factory):
    """A course graded by stock nbgrader, and one graded with our step."""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "nbgrader_config.py").write_text(CONFIG + (OURS if request.param == "ours" else ""))
    (folder / "answers.py").write_text("def square(x):\n    return x**2\n")
    (folder / "source/ps1").mkdir(parents=True)
    (folder / "source/ps1/ps1.ipynb").write_bytes(SOURCE)
    nbgrader(folder, "generate_assignment", "ps1")
    for student, data in SUBMISSIONS.items():
        place = folder / "submitted" / student / "ps1"
        place.mkdir(parents=True)
        (place / "ps1.ipynb").write_bytes(data)
    log = nbgrader(folder, "autograde", "ps1")
    return request.param, folder, log


def test_grades_are_those_of_stock_nbgrader(course):
    _, folder, _ = course
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as gradebook:
        scores = {
            student: gradebook.find_submission("ps1", student).score for student in SUBMISSIONS
        }
    assert scores == {"right": 6, "blank": 0, "half": 3}


def test_autograded_notebooks_keep_nbgraders_metadata(course):
    _, folder, _ = course
    notebook = json.loads((folder / "autograded/right/ps1/ps1.ipynb").read_text())
    tags = [cell["metadata"].get("nbgrader", {}) for cell in notebook["cells"]]
    assert [tag.get("grade_id") for tag in tags if tag.get("grade")] == [
        f"test-{name}" for name in ANSWERS
    ]
    assert all("checksum" in tag for tag in tags if tag)
    assert notebook["metadata"]["language_info"]["name"] == "python"


def test_warm_processes_are_replaced_when_a_module_of_the_course_changes(tmp_path, monkeypatch):
    module = tmp_path / "course_checks"
    module.mkdir()
    (module / "__init__.py").write_text("LEAST = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = Settings(namespaces=False, judge_preload=("course_checks",))
    first = _grader(settings)
    assert _grader(settings) is first
    (module / "__init__.py").write_text("LEAST = 2\n")
    second = _grader(settings)
    assert second is not first
    _close()


def test_a_file_is_the_instructors_if_it_is_the_same_there(tmp_path):
    """Tests may import it; what students hand in under that name stays out of the judge."""
    (tmp_path / "source/ps1").mkdir(parents=True)
    (tmp_path / "source/ps1/checks.py").write_bytes(b"x = 1")
    app = NbGrader()
    app.coursedir = CourseDirectory(parent=app, root=str(tmp_path))
    step = Execute(parent=app)
    files = {"checks.py": b"x = 1", "mine.py": b"x = 1"}
    assert step._instructors("ps1", files) == ("checks.py",)
    assert step._instructors("ps1", {**files, "checks.py": b"x = 2"}) == ()


def test_feedback_shows_hidden_tests_with_stock_only(course):
    kind, folder, _ = course
    nbgrader(folder, "generate_feedback", "ps1")
    page = (folder / "feedback/half/ps1/ps1.html").read_text()
    assert ("715537" in page) is (kind == "stock")
    assert "test-square" in page
