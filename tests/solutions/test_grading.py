"""A copy of the course goes through stock nbgrader's own commands, with the project's settings."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from nbgrader.api import Gradebook

from tests import ROOT

STUDENTS = ("akeller", "dmarsh", "ehollow", "ftahiri", "gweiss")
# One process for all of them: the course is made once, and no two kernels look for ports at a time.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("course")]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course in which assignment 2 is released, graded and given feedback."""
    root = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    shutil.copytree(ROOT / "solutions", root / "solutions")
    for student in STUDENTS:
        shutil.copytree(
            ROOT / "submitted" / student / "02-l2", root / "submitted" / student / "02-l2"
        )
    # The folder of this Python is not on PATH: the course's settings must see to that.
    environment = dict(
        os.environ, PATH="/usr/bin:/bin", REGLIB_COURSE_SECRET="k4-known-to-this-test"
    )

    def nbgrader(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *arguments],
            cwd=root, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    nbgrader("generate_assignment", "*", "--force")
    nbgrader("autograde", "*")
    nbgrader("generate_feedback", "*")
    nbgrader("export")
    return root


def graded(course, student):
    path = course / "autograded" / student / "02-l2" / "02-l2.ipynb"
    return json.loads(path.read_text(encoding="utf-8"))


def mistakes(course, student):
    """Return the names of the mistakes in each test cell's message."""
    found = {}
    for cell in graded(course, student)["cells"]:
        for output in cell.get("outputs", []):
            if output["output_type"] == "display_data" and "text/plain" in output["data"]:
                text = " ".join("".join(output["data"]["text/plain"]).split())
                found[cell["id"]] = re.findall(r'Looks like: "([^"]*)"', text)
    return found


def test_exercises_are_what_solutions_generate(course):
    for path in sorted((course / "exercises").glob("*/*.ipynb")):
        committed = ROOT / path.relative_to(course)
        assert path.read_bytes() == committed.read_bytes()


def test_grades_are_what_each_student_deserves(course):
    with (course / "grades.csv").open(newline="") as file:
        scores = {
            row["student_id"]: float(row["raw_score"])
            for row in csv.DictReader(file)
            if row["assignment"] == "02-l2"
        }
    assert scores == {"akeller": 18, "dmarsh": 0, "ehollow": 0, "ftahiri": 0, "gweiss": 18}


def test_each_fault_of_a_copied_program_is_named_in_the_graded_notebook(course):
    assert mistakes(course, "ftahiri")["test-cost-penalty"] == [
        "name from nowhere",
        "penalty on activations",
        "a second penalty added",
        "L1 written as a sum of squares",
    ]


@pytest.mark.parametrize("student", sorted(set(STUDENTS) - {"ehollow"}))
def test_feedback_shows_no_hidden_test_no_secret_and_no_way_through_our_modules(course, student):
    """Under stock nbgrader a hostile submission can print what its own process knows."""
    page = (course / "feedback" / student / "02-l2" / "02-l2.html").read_text(encoding="utf-8")
    for text in ("hidden_points", "HIDDEN TESTS", "checking.py", "k4-known-to-this-test"):
        assert text not in page


def test_a_hostile_submission_gets_its_tests_back(course):
    cells = {cell["id"]: cell for cell in graded(course, "ehollow")["cells"]}
    assert "check(l2_penalty)" in "".join(cells["test-penalty"]["source"])
    assert cells["test-penalty"]["outputs"]


def test_an_untouched_exercise_is_told_what_to_do(course):
    page = (course / "feedback" / "dmarsh" / "02-l2" / "02-l2.html").read_text(encoding="utf-8")
    assert "l2_penalty is not written yet" in page
    assert "0.0 / 20.0" in page


def test_a_written_answer_waits_for_a_grader_and_none_counts_as_zero(course):
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        for student, waits in (("akeller", True), ("ehollow", True), ("dmarsh", False)):
            grade = book.find_grade("written-answer", "02-l2", "02-l2", student)
            assert (grade.auto_score, grade.needs_manual_grade) == (None if waits else 0, waits)


def test_whoever_grades_sees_the_rubric_and_no_student_does(course):
    released = (course / "exercises" / "02-l2" / "02-l2.ipynb").read_text(encoding="utf-8")
    assert "Rubric" not in released
    for student in STUDENTS:
        shown = {cell["id"]: "".join(cell["source"]) for cell in graded(course, student)["cells"]}
        assert "**Rubric for the 2 points.**" in shown["question"]
        page = (course / "feedback" / student / "02-l2" / "02-l2.html").read_text(encoding="utf-8")
        assert "in your own words" in page
        assert "Rubric" not in page
    assert "by task 5 λ is σ²/τ²" in "".join(shown_answer(course, "akeller"))


def shown_answer(course, student):
    (cell,) = (c for c in graded(course, student)["cells"] if c["id"] == "written-answer")
    return cell["source"]
