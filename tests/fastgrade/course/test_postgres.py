"""A course whose gradebook is a PostgreSQL server: the real one, started for these tests."""

import contextlib
import shutil

import pytest
from nbgrader.api import Gradebook as OfficialGradebook
from sqlalchemy import create_engine, inspect

from fastgrade.course.gradebook import (
    Gradebook,
    GradebookError,
    NotebookScores,
    SubmissionScores,
    copy_gradebook,
)
from tests.fastgrade.classroom import RIGHT, WRONG, Classroom

pytestmark = pytest.mark.slow


@pytest.fixture
def database(postgres_server, request):
    """The address of an empty database."""
    address, create = postgres_server
    name = request.node.name.replace("[", "_").replace("]", "")[:60].lower()
    create(name)
    return f"postgresql+psycopg2://teacher@{address}/{name}"


@pytest.fixture
def classroom(released_course, database, tmp_path):
    """The course, generated anew into PostgreSQL with nbgrader's own command."""
    root = tmp_path / "course"
    shutil.copytree(released_course, root)
    classroom = Classroom(root)
    classroom.database.unlink()
    classroom.configure(f'c.CourseDirectory.db_url = "{database}"')
    classroom.nbgrader("generate_assignment", "ps1", "--force")
    assert not classroom.database.exists()
    return classroom


@contextlib.contextmanager
def official(database):
    with OfficialGradebook(database, "testing") as book:
        yield book


def test_the_server_is_real(database):
    with create_engine(database).connect() as connection:
        (version,) = connection.exec_driver_sql("SHOW server_version_num").one()
    assert int(version) >= 150000


def test_a_class_is_graded_into_postgresql(classroom, database):
    classroom.hand_in("ada", RIGHT)
    classroom.hand_in("bob", WRONG)
    done = classroom.fastgrade("ps1")
    assert "Added 8 indexes" in done.stdout
    assert "WAL" not in done.stdout
    with official(database) as book:
        assert book.find_submission("ps1", "ada").score == 5.0
        assert book.find_submission("ps1", "bob").score == 3.0
    assert "up to date" in classroom.fastgrade("ps1").stdout
    assert not classroom.database.exists()


def test_nbgrader_and_formgrader_queries_work_afterwards(classroom, database):
    classroom.hand_in("ada", RIGHT)
    classroom.fastgrade("ps1")
    with official(database) as book:
        assert [s["student"] for s in book.submission_dicts("ps1")] == ["ada"]
        assert book.average_assignment_score("ps1") == 5.0
    classroom.nbgrader("generate_feedback", "ps1")
    assert (classroom.folder("ada", step="feedback") / "arithmetic.html").exists()
    exported = classroom.nbgrader("export", "--to", "grades.csv")
    assert exported.returncode == 0
    assert "ada" in (classroom.root / "grades.csv").read_text()


def test_manual_grades_survive_a_regrade(classroom, database):
    classroom.hand_in("ada", WRONG)
    classroom.fastgrade("ps1")
    with official(database) as book:
        grade = book.find_grade("why", "arithmetic", "ps1", "ada")
        grade.manual_score, grade.needs_manual_grade = 1.0, False
        book.find_comment("why", "arithmetic", "ps1", "ada").manual_comment = "Good."
        book.db.commit()
    classroom.hand_in("ada", RIGHT)
    classroom.fastgrade("ps1")
    with official(database) as book:
        assert book.find_submission("ps1", "ada").score == 6.0
        assert book.find_comment("why", "arithmetic", "ps1", "ada").comment == "Good."


def test_the_report_reads_postgresql(classroom):
    classroom.hand_in("ada", RIGHT)
    classroom.fastgrade("ps1")
    classroom.fastgrade("report", "ps1")
    assert "ada" in (classroom.root / "report-ps1.html").read_text()


def test_a_gradebook_moves_from_sqlite_with_all_it_holds(released_course, database, tmp_path):
    root = tmp_path / "moving"
    shutil.copytree(released_course, root)
    moving = Classroom(root)
    old = f"sqlite:///{moving.database}"
    with Gradebook(old) as book:
        scores = NotebookScores({"test_add": 2.0, "test_double": 3.0, "why": None}, {})
        book.write(
            book.assignment("ps1"),
            [SubmissionScores(f"s{n}", None, {"arithmetic": scores}) for n in range(300)],
        )
    with moving.gradebook() as book:
        book.find_comment("why", "arithmetic", "ps1", "s7").manual_comment = "Ça va ✓"
        book.db.commit()
    done = moving.fastgrade("copy-gradebook", database)
    assert "grade: 900" in done.stdout
    moving.configure(f'c.CourseDirectory.db_url = "{database}"')
    with official(database) as book:
        assert len(book.assignment_submissions("ps1")) == 300
        assert book.find_submission("ps1", "s7").score == 5.0
        assert book.find_comment("why", "arithmetic", "ps1", "s7").comment == "Ça va ✓"
    moving.nbgrader("db", "assignment", "list")
    assert inspect(create_engine(database)).has_table("alembic_version")
    with pytest.raises(GradebookError, match="not empty"):
        copy_gradebook(old, database)


def test_a_driver_that_is_missing_is_explained():
    with pytest.raises(GradebookError, match=r"needs the Python package psycopg; .*psycopg2://"):
        Gradebook("postgresql+psycopg://teacher:secret@127.0.0.1:1/x")


def test_without_psycopg2_a_gradebook_in_postgresql_says_what_to_install(classroom):
    classroom.hand_in("ada", RIGHT)
    classroom.configure('c.CourseDirectory.db_url = "postgresql://t:secret@127.0.0.1:1/x"')
    done = classroom.without("psycopg2", "ps1")
    assert done.returncode == 3, done.stderr
    assert "pip install 'fastgrade[postgres]'" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_is_away_is_one_line_and_a_status(classroom):
    classroom.hand_in("ada", RIGHT)
    classroom.configure('c.CourseDirectory.db_url = "postgresql+psycopg2://t:secret@127.0.0.1:1/x"')
    done = classroom.fastgrade("ps1", check=False)
    assert done.returncode == 3
    assert "gradebook cannot be used" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr
