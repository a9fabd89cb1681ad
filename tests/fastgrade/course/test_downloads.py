"""`nbgrader zip_collect` finds in zips of Canvas and Moodle what each student handed in last."""

import zipfile

import pytest

from tests.fastgrade.classroom import RIGHT

WHO = "fastgrade.course.downloads"


@pytest.fixture
def collect(classroom):
    """A function that collects a zip with some files in it, and returns what nbgrader said."""
    notebook = classroom.hand_in("somebody", RIGHT) / "arithmetic.ipynb"
    content = notebook.read_bytes()
    notebook.unlink()
    notebook.parent.rmdir()

    def collect(plugin, names, check=True):
        archive = classroom.root / "downloaded" / "ps1" / "archive"
        archive.mkdir(parents=True)
        with zipfile.ZipFile(archive / "submissions.zip", "w") as made:
            for number, name in enumerate(names):
                made.writestr(name, content + b" " * number)
        classroom.configure(f'c.ZipCollectApp.collector_plugin = "{WHO}.{plugin}"')
        return classroom.nbgrader("zip_collect", "ps1", check=check).stderr

    return collect


def collected(classroom):
    """What lies in submitted/, and how many spaces follow it: which file of the zip it is."""
    found = {}
    for path in (classroom.root / "submitted").rglob("*"):
        if path.is_file() and path.name != "timestamp.txt":
            text = path.read_text()
            found[path.relative_to(classroom.root / "submitted").as_posix()] = len(text) - len(
                text.rstrip(" ")
            )
    return found


def test_a_zip_of_canvas_is_collected_graded_and_late_where_canvas_says_so(classroom, collect):
    with classroom.gradebook() as book:
        book.update_or_create_assignment("ps1", duedate="2026-02-03 10:00:00 UTC")
    told = collect(
        "CanvasDownload",
        [
            "lovelaceada_1234_5678_arithmetic.ipynb",
            "lovelaceada_1234_5690_arithmetic-1.ipynb",  # uploaded again
            "turing_alan_LATE_77_5700_arithmetic-2.ipynb",
            "noether-emmy_88_12_99_34_ps_1.ipynb",  # numbers in names
            "notes.ipynb",
            "hopper_99_5701_report.pdf",
        ],
    )
    assert collected(classroom) == {
        "1234/ps1/arithmetic.ipynb": 1,
        "77/ps1/arithmetic.ipynb": 2,
        "88/ps1/99_34_ps_1.ipynb": 3,
    }
    assert "There is a later upload of it" in told
    for skipped in ("arithmetic.ipynb", "notes.ipynb", "hopper_99_5701_report.pdf"):
        assert any("Skipped" in line and skipped in line for line in told.splitlines()), skipped
    classroom.fastgrade("ps1")
    with classroom.gradebook() as book:
        late = {s.student_id: s.total_seconds_late for s in book.assignment_submissions("ps1")}
    assert late == {"1234": 0, "77": 1, "88": 0}
    assert classroom.score("1234") == 5


def test_a_late_mark_without_a_due_date_is_told(classroom, collect):
    assert "has no due date" in collect("CanvasDownload", ["ada_LATE_1_2_arithmetic.ipynb"])
    assert not (classroom.folder("1") / "timestamp.txt").exists()


@pytest.mark.parametrize("separator", ["/", ""])
def test_a_zip_of_moodle_is_collected_with_folders_and_without(classroom, collect, separator):
    told = collect(
        "MoodleDownload",
        [
            f"Ada Lovelace_12345_assignsubmission_file_{separator}arithmetic.ipynb",
            f"Ada Lovelace_12345_assignsubmission_file_{separator}arithmetic (1).ipynb",
            f"Alan_2_ Turing_77_assignsubmission_file_{separator}PS1.IPYNB",
            f"Participant_88_assignsubmission_onlinetext_{separator}onlinetext.html",
        ],
    )
    assert collected(classroom) == {"12345/ps1/arithmetic.ipynb": 0, "77/ps1/PS1.IPYNB": 2}
    assert any("Skipped" in line and "onlinetext" in line for line in told.splitlines())
