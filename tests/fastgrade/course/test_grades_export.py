"""`nbgrader export` writes a table in which what a student is called stays what it is."""

import csv

import pytest

from tests.fastgrade.classroom import RIGHT

PLUGIN = 'c.ExportApp.plugin_class = "fastgrade.course.grades_export.GradesExport"'
NAMES = ["=cmd|'|calc'!A1", "mal,,,,18.0,0.0", "two\nrows", "@SUM(A1)", "-1", "ada"]


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def exported(classroom):
    """A function that exports the grades as the course does, or with nbgrader's own plugin."""
    with classroom.gradebook() as book:
        for name in NAMES:
            book.add_student(name, last_name=name, first_name="=1+1")
        book.add_submission("ps1", "ada")

    def export(*arguments, ours=True):
        if ours:
            classroom.configure(PLUGIN)
        classroom.nbgrader("export", *arguments)
        return table(classroom.root / "grades.csv")

    return export


def test_a_name_can_be_no_formula_and_no_second_row_or_column(exported):
    rows = exported()
    assert len(rows) == len(NAMES)
    assert all(None not in row for row in rows)
    for row in rows:
        for key in ("student_id", "last_name", "first_name"):
            assert row[key][:1] not in tuple("=+-@")
            assert "\n" not in row[key]
    assert {row["student_id"].lstrip("'") for row in rows} == {n.replace("\n", " ") for n in NAMES}


def test_of_honest_names_it_says_what_nbgraders_own_plugin_says(classroom):
    classroom.hand_in("ada", RIGHT, timestamp="2026-02-03 10:00:00")
    classroom.nbgrader("autograde", "ps1")
    with classroom.gradebook() as book:
        book.add_student("bob", email="bob@example.org")
    classroom.nbgrader("export")
    theirs = (classroom.root / "grades.csv").read_text(encoding="utf-8")
    classroom.configure(PLUGIN)
    classroom.nbgrader("export")
    assert (classroom.root / "grades.csv").read_text(encoding="utf-8") == theirs


def test_some_assignments_and_students_can_be_asked_for(exported):
    assert [row["student_id"] for row in exported("--student", "ada")] == ["ada"]


@pytest.mark.parametrize("to", ["grades.csv", "nowhere/grades.csv"])
def test_a_table_that_cannot_be_written_leaves_nothing_behind(classroom, to):
    classroom.configure(PLUGIN)
    (classroom.root / "grades.csv").mkdir()
    done = classroom.nbgrader("export", "--to", to, check=False)
    assert done.returncode != 0
    assert f"--to must name a file in a folder that exists, got '{to}'" in done.stderr
    assert not list(classroom.root.glob("grades.csv?*"))
