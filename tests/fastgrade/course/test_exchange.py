"""An assignment goes through nbgrader's exchange and comes back graded."""

import nbformat
import pytest

from tests.fastgrade.classroom import RIGHT, WRONG, run_warm

pytestmark = pytest.mark.slow

STUDENTS = {"ada": RIGHT, "alan": WRONG}


@pytest.fixture
def student(classroom, tmp_path):
    """A function that runs one of nbgrader's commands as a student, in the student's home."""
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    where = f'c.Exchange.root = "{exchange}"'
    classroom.configure(where)

    def student(name, command):
        home = tmp_path / "homes" / name
        home.mkdir(parents=True, exist_ok=True)
        settings = ["c = get_config()", where, 'c.CourseDirectory.course_id = "testing"']
        (home / "nbgrader_config.py").write_text("\n".join(settings))
        run_warm(
            *("nbgrader", command, "ps1", f"--Exchange.assignment_dir={home}"),
            f"--CourseDirectory.student_id={name}",
            cwd=home,
            HOME=home,
            JUPYTER_DATA_DIR=home / "data",
        )
        return home

    return student


def test_what_is_released_is_fetched_submitted_collected_graded_and_returned(classroom, student):
    classroom.nbgrader("release_assignment", "ps1")
    for name, answers in STUDENTS.items():
        path = student(name, "fetch_assignment") / "ps1" / "arithmetic.ipynb"
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = answers.get(grade_id, cell.source)
        nbformat.write(notebook, path)
        student(name, "submit")
    classroom.nbgrader("collect", "ps1")
    assert {path.name for path in (classroom.root / "submitted").iterdir()} == set(STUDENTS)
    classroom.fastgrade("ps1")
    classroom.nbgrader("generate_feedback", "ps1")
    classroom.nbgrader("release_feedback", "ps1")
    for name, score in (("ada", "5.0"), ("alan", "3.0")):
        (page,) = (student(name, "fetch_feedback") / "ps1" / "feedback").glob("*/*.html")
        assert f"Score: {score} / 6.0" in page.read_text(encoding="utf-8")
