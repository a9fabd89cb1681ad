"""A written answer and its rubric: what whoever grades sees, and what nbgrader itself would do."""

import json
import shutil

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell

from tests.fastgrade.classroom import RIGHT, metadata, rows

ASKED = "In your own words: why?"
RUBRIC = "### BEGIN MARK SCHEME\n1 point for a reason.\n### END MARK SCHEME"
SETTINGS = [
    "c.ClearMarkScheme.enforce_metadata = False",
    'c.ClearSolutions.text_stub = "Write here."',
    "c.GenerateFeedback.preprocessors = [f'nbgrader.preprocessors.{name}' for name in "
    "('GetGrades', 'ClearHiddenTests', 'ClearMarkScheme')]"
    " + ['nbconvert.preprocessors.CSSHTMLHeaderPreprocessor']",
]

pytestmark = pytest.mark.slow


@pytest.fixture
def course(classroom):
    """A course whose question has a rubric, as stock nbgrader releases it; one left it blank."""
    path = classroom.root / "source" / "ps1" / "arithmetic.ipynb"
    source = nbformat.read(path, as_version=4)
    asked = new_markdown_cell(f"{ASKED}\n\n{RUBRIC}", metadata=metadata("asked", locked=True))
    source.cells.insert(-1, asked)
    nbformat.write(source, path)
    classroom.configure(*SETTINGS)
    classroom.nbgrader("generate_assignment", "ps1", "--force")
    classroom.hand_in("ada", {**RIGHT, "why": "Because *she* said so."})
    classroom.hand_in("bob", {name: RIGHT[name] for name in ("add", "double")})
    return classroom


def texts(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    named = {cell["metadata"].get("nbgrader", {}).get("grade_id"): cell for cell in cells}
    return {name: "".join(named[name]["source"]) for name in ("asked", "why")}


def test_the_release_has_a_stub_and_no_rubric(course):
    released = texts(course.root / "release" / "ps1" / "arithmetic.ipynb")
    assert released["asked"].strip() == ASKED
    assert released["why"] == "Write here."


def test_grades_comments_and_what_a_grader_reads_are_those_of_stock_nbgrader(course):
    fresh = course.database.read_bytes()
    course.nbgrader("autograde", "ps1")
    stock, read = rows(course.database), {s: texts(notebook_of(course, s)) for s in ("ada", "bob")}
    shutil.rmtree(course.root / "autograded")
    course.database.write_bytes(fresh)
    course.fastgrade("ps1")
    assert rows(course.database) == stock
    assert {s: texts(notebook_of(course, s)) for s in ("ada", "bob")} == read
    assert course.grades("ada")["why"] == (None, None, True)
    assert course.grades("bob")["why"] == (0, None, False)
    assert read["ada"] == {"asked": f"{ASKED}\n\n{RUBRIC}", "why": "Because *she* said so."}


def notebook_of(course, student):
    return course.autograded(student) / "arithmetic.ipynb"


def test_feedback_has_the_points_that_were_given_and_no_rubric(course):
    course.fastgrade("ps1")
    with course.gradebook() as book:
        grade = book.find_grade("why", "arithmetic", "ps1", "ada")
        grade.manual_score, grade.needs_manual_grade = 0.5, False
        book.find_comment("why", "arithmetic", "ps1", "ada").manual_comment = "Half a reason."
        book.db.commit()
    course.fastgrade("ps1", "--force")
    assert course.grades("ada")["why"] == (None, 0.5, True)
    course.nbgrader("generate_feedback", "ps1")
    page = (course.folder("ada", step="feedback") / "arithmetic.html").read_text(encoding="utf-8")
    for told in (ASKED, "<em>she</em>", "Half a reason.", "5.5 / 6.0"):
        assert told in page
    assert "MARK SCHEME" not in page
    assert "for a reason" not in page
