"""`nbgrader export` fills grades into tables in the form that Canvas and Moodle give out."""

import csv
import shutil

import pytest

from tests.fastgrade.classroom import RIGHT, WRONG, Classroom

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Warm-up (11),ps1 (12),Current Score
    Points Possible,,,,,3.00,6.00,(read only)
"Lovelace, Ada",901,S1,ada,"Course, A",3.00,,88.0
"Turing, Alan",902,S2,alan,Course B,2.00,1.00,
"=1+1, Eve",903,S3,eve,Course B,,-1.5,
"Student, Test",904,,f00,Course B,,,
"""
MOODLE = """\
Identifier,"Full name","Email address",Status,Grade,"Maximum Grade","Grade can be changed",\
"Last modified (submission)","Last modified (grade)","Feedback comments"
"Participant 901","Ada Lovelace",ada@example.org,"Submitted for grading - ",,6.00,Yes,-,-,
"Participant 902",@SUM(A1),alan@example.org,"Submitted for grading - ",,6.00,Yes,-,-,"two
lines"
"Participant 903","Eve",eve@example.org,"No submission - ",2.50,6.00,Yes,-,-,
"""
PLUGINS = "fastgrade.course.uploads"


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def graded_course(released_course, tmp_path_factory):
    """ada has 5 of 6 points, alan 3; both wait for a human to read their answer."""
    root = tmp_path_factory.mktemp("graded") / "course"
    shutil.copytree(released_course, root)
    classroom = Classroom(root)
    classroom.hand_in("ada", RIGHT)
    classroom.hand_in("alan", WRONG)
    classroom.fastgrade("ps1")
    with classroom.gradebook() as book:
        book.update_or_create_student("ada", email="ada@example.org")
        book.update_or_create_student("alan", email="alan@example.org")
    return classroom


@pytest.fixture
def export(graded_course):
    """A function that fills a table and returns what nbgrader said and what came of it."""

    def export(plugin, text, *arguments, source="table.csv", check=True):
        (graded_course.root / "table.csv").write_text(text, encoding="utf-8-sig")
        (graded_course.root / "out.csv").unlink(missing_ok=True)
        done = graded_course.nbgrader(
            "export",
            f"--exporter={PLUGINS}.{plugin}",
            f"--{plugin}.table={source}",
            "--to=out.csv",
            *arguments,
            check=check,
        )
        out = graded_course.root / "out.csv"
        return done.stderr, table(out) if out.exists() else None

    return export


def test_canvas_gets_its_table_with_the_grades_of_what_both_know(export):
    told, rows = export("CanvasExport", CANVAS)
    assert [list(row) for row in rows[:1]] == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "ps1 (12)"]
    ]
    assert {row["Student"]: row["ps1 (12)"] for row in rows} == {
        "    Points Possible": "6.0",
        "Lovelace, Ada": "5.0",
        "Turing, Alan": "3.0",
        "'=1+1, Eve": "-1.5",  # no submission here: as it was there
        "Student, Test": "",
    }
    assert [row["ID"] for row in rows] == ["", "901", "902", "903", "904"]
    assert "ps1: 2 wait for a human grader" in told


def test_moodle_gets_its_worksheet_with_the_grades_of_one_assignment(export):
    _, rows = export("MoodleExport", MOODLE, "--assignment=ps1")
    assert [(row["Identifier"], row["Grade"]) for row in rows] == [
        ("Participant 901", "5.0"),
        ("Participant 902", "3.0"),
        ("Participant 903", "2.5"),
    ]
    assert rows[1]["Full name"] == "'@SUM(A1)"
    assert len(rows[0]) == 10


def test_students_are_found_by_the_numbers_that_collecting_gives_them(export, graded_course):
    with graded_course.gradebook() as book:
        book.update_or_create_student("ada", lms_user_id="901", email=None)
        book.update_or_create_student("alan", lms_user_id="902", email=None)
    try:
        for plugin, text, more in (
            ("CanvasExport", CANVAS.replace(",ada,", ",a,").replace(",alan,", ",b,"), ()),
            ("MoodleExport", MOODLE, ("--assignment=ps1",)),
        ):
            _, rows = export(plugin, text, *more)
            assert {"5.0", "3.0"} <= {row.get("ps1 (12)") or row.get("Grade") for row in rows}
    finally:
        with graded_course.gradebook() as book:
            for name in ("ada", "alan"):
                book.update_or_create_student(name, lms_user_id=None, email=f"{name}@example.org")


def test_other_points_there_are_refused_or_scaled(export):
    there = CANVAS.replace(",6.00,", ",12.00,")
    told, rows = export("CanvasExport", there, check=False)
    assert rows is None
    assert "6 points here and 12 in table.csv" in told
    _, rows = export("CanvasExport", there, "--CanvasExport.scale=True")
    assert [row["ps1 (12)"] for row in rows[1:3]] == ["10.0", "6.0"]


@pytest.mark.parametrize(
    ("plugin", "text", "arguments", "message"),
    [
        ("CanvasExport", CANVAS.replace("ps1 (12)", "Problems (12)"), (), "CanvasExport.columns"),
        ("CanvasExport", CANVAS.replace("ada,", "x,").replace("alan,", "y,"), (), "student_column"),
        ("MoodleExport", MOODLE, (), "--assignment must name one of ps1"),
        (
            "MoodleExport",
            MOODLE.replace(",Grade,", ",Note,"),
            ("--assignment=ps1",),
            "grade_column",
        ),
    ],
)
def test_a_table_that_does_not_fit_names_the_setting(export, plugin, text, arguments, message):
    told, rows = export(plugin, text, *arguments, check=False)
    assert rows is None
    assert message in told.strip().splitlines()[-1]


def test_a_table_that_is_not_there_names_the_setting(export):
    told, _ = export("CanvasExport", CANVAS, source="none.csv", check=False)
    assert "c.CanvasExport.table must name the table that the platform gave out" in told
    assert "Traceback" not in told


def test_another_title_and_semicolons_are_understood(export, graded_course):
    text = CANVAS.replace("ps1 (12)", "Problems (12)").replace(",", ";")
    export("CanvasExport", text, "--CanvasExport.columns={'ps1': 'Problems (12)'}")
    rows = (graded_course.root / "out.csv").read_text().splitlines()
    assert '"Lovelace; Ada";901;S1;ada;"Course; A";5.0' in rows
