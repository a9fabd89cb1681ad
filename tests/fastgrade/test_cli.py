"""The command grades a class, keeps nbgrader's books, and tells scripts how it went."""

import contextlib
import json
import os
import pty
import re
import shutil
import sqlite3
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from fastgrade import terminal
from fastgrade.batch.journal import Journal, path_of
from fastgrade.batch.summary import Summary
from fastgrade.terminal import printable
from tests.fastgrade.classroom import (
    BIN,
    HIDDEN,
    RIGHT,
    WRONG,
    counts,
    environment,
    metadata,
    rows,
    run,
    run_warm,
)

pytestmark = pytest.mark.slow


def test_grades_are_those_of_nbgrader_autograde(classroom, tmp_path):
    classroom.configure("c.LateSubmissionPlugin.penalty_method = 'zero'")
    with classroom.gradebook() as book:
        book.update_or_create_assignment("ps1", duedate="2030-01-10 12:00:00")
    classroom.hand_in("ada", RIGHT, timestamp="2030-01-09 12:00:00 UTC")
    classroom.hand_in("bob", WRONG, timestamp="2030-01-11 12:00:00 UTC")
    classroom.hand_in("cyd", {})
    raises = {**RIGHT, "add": "def add(a, b):\n    raise RuntimeError('no')\n"}
    classroom.hand_in("dan", raises)
    (classroom.folder("dan") / "notes.txt").write_text("mine")
    before = classroom.database.read_bytes()
    classroom.nbgrader("autograde", "ps1")
    stock = rows(classroom.database)
    stock_files = tree(classroom.root / "autograded")
    for path in classroom.root.glob("gradebook.db*"):
        path.unlink()
    classroom.database.write_bytes(before)
    (classroom.root / "autograded").rename(tmp_path / "stock")
    classroom.fastgrade("ps1")
    assert rows(classroom.database) == stock
    assert tree(classroom.root / "autograded") == stock_files


def tree(folder):
    """The files below a folder with their permissions."""
    return {
        str(path.relative_to(folder)): oct(path.stat().st_mode)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_class_is_graded_and_summed_up(classroom):
    classroom.hand_in("ada", RIGHT)
    classroom.hand_in("bob", WRONG)
    classroom.hand_in("cyd", {})
    done = classroom.fastgrade("ps1")
    assert done.returncode == 0
    assert counts(done) == {
        "handed in": 3,
        "graded": 3,
        "reused": 0,
        "failed": 0,
        "flags": 0,
        "mean": "2.67 of 6",
        "by hand": 2,
    }
    assert "submissions a second" in done.stdout
    assert [classroom.score(name) for name in ("ada", "bob", "cyd")] == [5.0, 3.0, 0.0]
    assert classroom.grades("ada")["why"] == (None, None, True)
    assert classroom.grades("cyd")["why"] == (0.0, None, False)


def test_only_what_changed_is_graded_again(classroom):
    classroom.hand_in("ada", RIGHT)
    classroom.hand_in("bob", WRONG)
    classroom.fastgrade("ps1")
    assert counts(classroom.fastgrade("ps1"))["up to date"] == 2
    classroom.hand_in("bob", RIGHT | {"why": "Because of associativity."})
    done = counts(classroom.fastgrade("ps1"))
    assert (done["graded"], done["up to date"]) == (1, 1)
    assert classroom.score("bob") == 5.0
    done = counts(classroom.fastgrade("ps1", "--force"))
    assert (done["graded"], done["reused"]) == (2, 0)


def test_new_tests_regrade_everybody(classroom):
    classroom.hand_in("ada", RIGHT)
    classroom.fastgrade("ps1")
    source = classroom.root / "source" / "ps1" / "arithmetic.ipynb"
    notebook = nbformat.read(source, as_version=4)
    notebook.cells[1].source = notebook.cells[1].source.replace("a + b", "a + b + 1")
    notebook.cells[2].source = "assert add(1, 2) == 4, 'a new rule'"
    nbformat.write(notebook, source)
    classroom.nbgrader("generate_assignment", "ps1", "--force")
    assert counts(classroom.fastgrade("ps1"))["graded"] == 1
    assert classroom.score("ada") == 3.0


def test_tests_count_as_they_were_generated(classroom):
    """As in nbgrader: an edit of the source counts from `generate_assignment` on."""
    classroom.hand_in("ada", RIGHT)
    source = classroom.root / "source" / "ps1" / "arithmetic.ipynb"
    notebook = nbformat.read(source, as_version=4)
    notebook.cells[2].source = "assert False"
    nbformat.write(notebook, source)
    done = classroom.fastgrade("ps1")
    assert "Edited since they were recorded: test_add." in done.stdout
    assert classroom.score("ada") == 5.0


def test_identical_submissions_are_graded_once(classroom):
    for name in ("ada", "bob", "cyd"):
        classroom.hand_in(name, RIGHT)
    done = counts(classroom.fastgrade("ps1"))
    assert (done["graded"], done["identical to another, graded with it"]) == (1, 2)
    classroom.hand_in("dan", RIGHT)
    done = counts(classroom.fastgrade("ps1"))
    assert (done["graded"], done["identical to another, graded with it"]) == (0, 1)
    for name in ("ada", "bob", "cyd", "dan"):
        assert classroom.score(name) == 5.0
        assert (classroom.autograded(name) / "arithmetic.ipynb").exists()


def test_manual_grades_and_comments_survive_force(classroom):
    classroom.hand_in("ada", RIGHT)
    classroom.fastgrade("ps1")
    with classroom.gradebook() as book:
        grade = book.find_grade("why", "arithmetic", "ps1", "ada")
        grade.manual_score, grade.extra_credit = 1.0, 0.5
        book.find_comment("why", "arithmetic", "ps1", "ada").manual_comment = "Well said."
        book.db.commit()
    classroom.fastgrade("ps1", "--force")
    with classroom.gradebook() as book:
        assert book.find_submission("ps1", "ada").score == 6.5
        assert book.find_comment("why", "arithmetic", "ps1", "ada").comment == "Well said."


def test_a_late_resubmission_is_recorded_without_running_anything(classroom):
    classroom.configure("c.LateSubmissionPlugin.penalty_method = 'zero'")
    with classroom.gradebook() as book:
        book.update_or_create_assignment("ps1", duedate="2030-01-10 12:00:00")
    classroom.hand_in("ada", RIGHT, timestamp="2030-01-09 12:00:00 UTC")
    classroom.fastgrade("ps1")
    classroom.hand_in("ada", RIGHT, timestamp="2030-01-11 12:00:00 UTC")
    done = counts(classroom.fastgrade("ps1"))
    assert (done["graded"], done["written again from the journal"]) == (0, 1)
    with classroom.gradebook() as book:
        assert book.find_submission("ps1", "ada").late_submission_penalty == 5.0
        book.grant_extension("ps1", "ada", days=7)
    assert counts(classroom.fastgrade("ps1"))["written again from the journal"] == 1
    with classroom.gradebook() as book:
        assert book.find_submission("ps1", "ada").late_submission_penalty == 0.0
    assert counts(classroom.fastgrade("ps1"))["up to date"] == 1


@pytest.mark.parametrize("chosen", ["ada,bob", "ada, bob", "[ab]*"])
def test_some_students_can_be_chosen(classroom, chosen):
    for name in ("ada", "bob", "cyd"):
        classroom.hand_in(name, {**RIGHT, "why": name})
    assert counts(classroom.fastgrade("ps1", "--students", chosen))["graded"] == 2
    assert not classroom.autograded("cyd").exists()


def test_a_dry_run_writes_nothing(classroom):
    classroom.hand_in("ada", RIGHT)
    before = snapshot(classroom.root)
    done = classroom.fastgrade("ps1", "--dry-run")
    assert "ada: new" in done.stdout
    assert "1 of 1 submissions would be graded" in done.stdout
    assert snapshot(classroom.root) == before
    classroom.fastgrade("ps1")
    classroom.hand_in("ada", WRONG)
    before = snapshot(classroom.root)
    assert "ada: changed" in classroom.fastgrade("ps1", "--dry-run").stdout
    told = classroom.fastgrade("ps1", "--dry-run", "--force", "--workers", "3").stdout
    assert "ada: forced" in told
    assert "1 submissions would take about" in told
    assert "with 3 at once" in told
    assert "hours of one core" in told
    assert snapshot(classroom.root) == before


def snapshot(root):
    """Every file with its content; SQLite's shared-memory file may come and go with readers."""
    return {
        str(path): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def test_feedback_names_the_failure_and_hides_the_hidden_test(classroom):
    classroom.hand_in("ada", RIGHT)
    classroom.hand_in("bob", WRONG)
    lucky = {**RIGHT, "add": "def add(a, b):\n    return 3\n"}
    classroom.hand_in("cyd", lucky)
    classroom.fastgrade("ps1")
    classroom.nbgrader("generate_feedback", "ps1")
    for name in ("ada", "bob", "cyd"):
        page = (classroom.folder(name, step="feedback") / "arithmetic.html").read_text()
        assert HIDDEN not in page
        assert "add(40" not in page
        assert "HIDDEN TESTS" not in page
    assert (
        "one and two make three"
        in (classroom.folder("bob", step="feedback") / "arithmetic.html").read_text()
    )
    assert classroom.score("cyd") == 3.0


def test_scripts_that_an_answer_displays_can_be_kept_out_of_feedback(classroom):
    shows = (
        "from IPython.display import HTML, display\n"
        "display(HTML('<b>bold</b><script>alert(1)</script>'))\n"
    )
    classroom.hand_in("ada", {**RIGHT, "add": shows + RIGHT["add"]})
    classroom.configure("c.HTMLExporter.sanitize_html = True")
    classroom.fastgrade("ps1")
    classroom.nbgrader("generate_feedback", "ps1")
    page = (classroom.folder("ada", step="feedback") / "arithmetic.html").read_text()
    assert "<b>bold</b>" in page
    assert "<script>alert(1)" not in page


def test_formgraders_queries_see_the_submission_as_autograded(classroom):
    classroom.hand_in("ada", RIGHT)
    classroom.fastgrade("ps1")
    program = (
        "import json, os\n"
        "from nbgrader.apps import NbGraderAPI\n"
        "from nbgrader.coursedir import CourseDirectory\n"
        "from traitlets.config import Config\n"
        "api = NbGraderAPI(CourseDirectory(root=os.getcwd()))\n"
        "s = api.get_submission('ps1', 'ada')\n"
        "print(json.dumps([s['autograded'], s['submitted'], s['score'], s['max_score']]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=classroom.root, capture_output=True, text=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [True, True, 5.0, 6.0], done.stderr


def test_a_course_may_use_fastgrade_in_plain_autograde_too(classroom):
    classroom.hand_in("ada", RIGHT)
    classroom.hand_in("bob", WRONG)
    classroom.configure(
        "from fastgrade.course.execute_step import use_fastgrade",
        "use_fastgrade(c)",
    )
    classroom.nbgrader("autograde", "ps1", "--student", "ada")
    classroom.fastgrade("ps1", "--students", "bob")
    assert (classroom.score("ada"), classroom.score("bob")) == (5.0, 3.0)
    classroom.fastgrade("ps1", "--force")
    assert (classroom.score("ada"), classroom.score("bob")) == (5.0, 3.0)


@pytest.mark.parametrize("command", ["fastgrade", "autograde"])
def test_a_link_reaches_nobody_elses_file(classroom, command):
    """nbgrader copies what a link points to, and feedback would bring that to the student."""
    (classroom.root / "source" / "ps1" / "data.txt").write_text("the instructor's")
    classroom.configure(
        "from fastgrade.course.execute_step import use_fastgrade",
        "use_fastgrade(c)",
    )
    classroom.hand_in("ada", RIGHT)
    prints = "import os\nprint(sorted(os.listdir()), open('data.txt').read())\n"
    eve = classroom.hand_in("eve", {**WRONG, "add": prints + WRONG["add"]})
    os.symlink(classroom.root / "source/ps1/arithmetic.ipynb", eve / "tests.txt")
    os.symlink(classroom.database, eve / "data.txt")
    mal = classroom.hand_in("mal", WRONG)
    os.unlink(mal / "arithmetic.ipynb")
    os.symlink(classroom.folder("ada") / "arithmetic.ipynb", mal / "arithmetic.ipynb")
    if command == "fastgrade":
        assert "no grade was recorded" in classroom.fastgrade("ps1", check=False).stderr
    else:
        classroom.nbgrader("autograde", "ps1")
    assert [classroom.score(name) for name in ("ada", "eve")] == [5.0, 3.0]
    with classroom.gradebook() as book:
        assert not [one for one in book.student_submissions("mal") if one.score]
    assert sorted(os.listdir(classroom.autograded("eve"))) == ["arithmetic.ipynb", "data.txt"]
    printed = (classroom.autograded("eve") / "arithmetic.ipynb").read_text()
    assert "['data.txt'] the instructor's" in printed


@pytest.mark.parametrize("command", ["fastgrade", "autograde"])
def test_locked_cells_count_as_they_were_generated(classroom, command):
    """What students were given and what they are graded with is the same."""
    path = classroom.root / "source" / "ps1" / "arithmetic.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(1, new_code_cell("zero = 0", metadata=metadata("given", locked=True)))
    nbformat.write(notebook, path)
    classroom.configure(
        "from fastgrade.course.execute_step import use_fastgrade", "use_fastgrade(c)"
    )
    classroom.nbgrader("generate_assignment", "ps1", "--force")
    classroom.hand_in("ada", {**RIGHT, "add": "def add(a, b):\n    return a + b + zero\n"})
    notebook.cells[1].source = "zero = 1"
    nbformat.write(notebook, path)
    if command == "fastgrade":
        classroom.fastgrade("ps1")
    else:
        classroom.nbgrader("autograde", "ps1")
    assert classroom.score("ada") == 5.0


def test_stock_autograde_takes_over_and_gives_back(classroom):
    classroom.hand_in("ada", RIGHT)
    classroom.fastgrade("ps1")
    classroom.nbgrader("autograde", "ps1", "--force")
    assert classroom.score("ada") == 5.0
    assert classroom.fastgrade("ps1").returncode == 0
    assert classroom.score("ada") == 5.0


STRANGE = {
    "empty": b"",
    "truncated": b'{"cells": [{"cell_type": "code", "metadata": {"nbgr',
    "binary": bytes(range(256)) * 10,
    "a_list": b"[]",
    "no_cells": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
    "deep": b"[" * 100_000,
}


def test_what_cannot_be_read_gets_no_grade_and_holds_up_nobody(classroom):
    for name, content in STRANGE.items():
        folder = classroom.folder(name)
        folder.mkdir(parents=True)
        (folder / "arithmetic.ipynb").write_bytes(content)
    classroom.hand_in("zoe", RIGHT)
    classroom.folder("nothing").mkdir(parents=True)
    classroom.hand_in("renamed", RIGHT, notebook="arithmetic (1)")
    huge = classroom.hand_in("huge", RIGHT) / "arithmetic.ipynb"
    with open(huge, "ab") as file:
        file.truncate(200_000_000)
    essay = classroom.folder("essay")
    essay.mkdir(parents=True)
    (essay / "essay.docx").write_bytes(b"PK")
    done = classroom.fastgrade("ps1", check=False)
    assert done.returncode == 1
    told = " ".join(done.stderr.split())
    for name in (*STRANGE, "huge"):
        assert f"failed {name}: arithmetic.ipynb could not be read: " in told
    assert "failed nothing: no notebook could be read: arithmetic.ipynb was not handed in; " in told
    assert "failed essay: no notebook could be read: arithmetic.ipynb was not handed in" in told
    assert "(there is essay.docx); no grade was recorded" in told
    for name in (*STRANGE, "nothing", "huge", "essay"):
        assert not classroom.is_recorded(name)
    assert classroom.score("renamed") == 5.0
    assert (classroom.autograded("renamed") / "arithmetic.ipynb").exists()
    assert classroom.score("zoe") == 5.0
    planned = classroom.fastgrade("ps1", "--dry-run")
    assert "huge: cannot be graded: arithmetic.ipynb could not be read: arithmetic.ipynb has" in (
        " ".join(planned.stdout.split())
    )


def test_duplicated_cells_and_another_kernel_are_flagged(classroom):
    path = classroom.hand_in("ada", RIGHT) / "arithmetic.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(notebook.cells[2])
    notebook.metadata.kernelspec = {"name": "ir", "display_name": "R", "language": "R"}
    path.write_text(json.dumps(notebook))
    done = classroom.fastgrade("ps1")
    assert "flagged ada" in done.stdout
    assert "kernel" in done.stdout
    assert classroom.score("ada") == 5.0


def test_a_deleted_test_counts_and_a_warning_costs_nothing(classroom):
    path = classroom.hand_in("ada", RIGHT) / "arithmetic.ipynb"
    notebook = nbformat.read(path, as_version=4)
    del notebook.cells[2]
    nbformat.write(notebook, path)
    warns = "def add(a, b):\n    import warnings\n    warnings.warn('careful')\n    return a + b\n"
    classroom.hand_in("bob", {**RIGHT, "add": warns})
    writes = "open('mine.txt', 'w').write('x')\n" + RIGHT["add"]
    classroom.hand_in("cyd", {**RIGHT, "add": writes})
    done = classroom.fastgrade("ps1")
    told = " ".join(done.stdout.split())
    assert "flagged bob: A test prints a warning, which costs nothing here" in told
    assert "in nbgrader autograde: 'test_add'." in told
    assert [classroom.score(name) for name in ("ada", "bob", "cyd")] == [5.0, 5.0, 5.0]
    assert os.listdir(classroom.autograded("cyd")) == ["arithmetic.ipynb"]


def test_a_submission_that_cannot_be_recorded_fails_alone(classroom):
    classroom.hand_in("ada", RIGHT)
    classroom.hand_in("bob", WRONG)
    (classroom.root / "autograded").mkdir()
    (classroom.root / "autograded" / "bob").write_text("a file where a folder must be")
    done = classroom.fastgrade("ps1", check=False)
    assert done.returncode == 1
    assert "failed bob: cannot be recorded" in done.stderr
    assert classroom.score("ada") == 5.0
    (classroom.root / "autograded" / "bob").unlink()
    assert classroom.fastgrade("ps1").returncode == 0
    assert classroom.score("bob") == 3.0


def test_names_of_any_kind_hold_up_nobody(classroom):
    for name in ("Zoë Ångström", "o'brien; DROP TABLE grade", "[bold]x[b]", "a+b@c.d"):
        classroom.hand_in(name, {**RIGHT, "why": name})
    strange = classroom.root / "submitted" / os.fsdecode(b"caf\xe9")
    os.rename(classroom.hand_in("gone", WRONG).parent, strange)
    done = classroom.fastgrade("ps1", check=False, PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert "caf\\udce9: the name of the student's folder is no text" in done.stderr
    for name in ("Zoë Ångström", "o'brien; DROP TABLE grade", "[bold]x[b]", "a+b@c.d"):
        assert classroom.score(name) == 5.0
    assert counts(classroom.fastgrade("ps1", check=False))["up to date"] == 4


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["ps9"], 3, "no assignment 'ps9'"),
        (["ps1"], 3, "nobody has handed in"),
        (["ps1", "--students", "zoe"], 3, "no submission of 'ps1' by zoe"),
        (["ps1", "--students", ","], 2, "names nobody"),
        (["ps1", "--workers", "0"], 2, "--workers"),
        (["ps1", "--workers", "2", "--scheduler", "tcp://x:1"], 2, "--workers is for this machine"),
        (["ps1", "--unknown"], 2, "No such option"),
        (["--course", "nowhere", "ps1"], 2, "does not exist"),
        (["ps1", "--course", "nowhere"], 2, "does not exist"),
        ([], 2, "Usage"),
        (["--force"], 2, "Name assignments, or say --all"),
        (["ps1", "--all"], 2, "Name assignments, or say --all"),
        (["ps1", "ps9"], 3, "no assignment 'ps9'"),
        (["zz*"], 3, "nobody has handed in an assignment that matches zz*"),
        (["report", "ps9"], 3, "no assignment 'ps9'"),
    ],
)
def test_what_goes_wrong_is_one_line_and_a_status(classroom, arguments, status, told):
    done = classroom.fastgrade(*arguments, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    assert told in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_place_that_cannot_be_written_is_one_sentence_and_grades_nobody(classroom):
    classroom.hand_in("ada", RIGHT)
    classroom.configure("c.CourseDirectory.autograded_directory = '/sys/graded'")
    done = classroom.fastgrade("ps1", check=False)
    assert done.returncode == 3
    (told,) = done.stderr.strip().splitlines()
    assert "/sys/graded cannot be written" in told
    assert "c.CourseDirectory.autograded_directory says where it lies" in told
    assert not classroom.is_recorded("ada")


def test_a_configuration_that_cannot_be_read_is_told(classroom):
    classroom.hand_in("ada", RIGHT)
    classroom.configure("c.FastGrade.limits = {'memroy_mb': 5}")
    done = classroom.fastgrade("ps1", check=False)
    assert done.returncode == 3
    assert "memroy_mb" in done.stderr
    classroom.configure("this is no Python")
    done = classroom.fastgrade("ps1", check=False)
    assert done.returncode == 3
    assert "nbgrader_config.py cannot be read" in done.stderr


def test_a_module_that_cannot_be_preloaded_is_told_once(classroom):
    for number in range(5):
        classroom.hand_in(f"s{number}", {**RIGHT, "why": str(number)})
    classroom.configure("c.FastGrade.preload = ['no_such_module']")
    done = classroom.fastgrade("ps1", check=False)
    assert done.returncode == 3
    assert done.stderr.count("no_such_module") == 1
    assert not (classroom.root / "autograded").exists()


def test_a_second_run_at_the_same_time_is_refused(classroom):
    classroom.hand_in("ada", RIGHT)
    with Journal(path_of(classroom.root, "ps1")):
        done = classroom.fastgrade("ps1", check=False)
    assert done.returncode == 5
    assert "another run" in done.stderr


def test_too_little_protection_is_refused(classroom):
    classroom.hand_in("ada", RIGHT)
    program = (
        "import dataclasses, sys\n"
        "import fastgrade.sandbox.protection as sandbox\n"
        "real = sandbox.probe\n"
        "sandbox.probe = lambda: dataclasses.replace(real(), level='rlimits')\n"
        "from fastgrade.cli import main\n"
        "main(['ps1'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=classroom.root, capture_output=True, text=True
    )
    assert done.returncode == 4
    assert "hidden tests are refused" in done.stderr
    assert not classroom.autograded("ada").exists()


def test_doctor_says_what_is_there_and_what_is_demanded(classroom):
    done = classroom.fastgrade("doctor")
    assert "Protection:" in done.stdout
    assert "demands 'sandbox'" in done.stdout
    assert "indexes missing" in done.stdout
    assert "Landlock" in done.stdout


def test_help_has_examples_and_the_exit_status():
    for arguments in (["--help"], ["grade", "--help"], ["report", "--help"], ["doctor", "--help"]):
        done = run_warm("fastgrade", *arguments, cwd="/")
        assert "Usage:" in done.stdout
    done = run("fastgrade", "--help", cwd="/")
    assert "fastgrade ps1 --students ada,bob" in done.stdout
    assert "Exit status" in done.stdout
    assert run("fastgrade", "--version", cwd="/").stdout.startswith("fastgrade, version")


def test_an_assignment_called_like_a_command_can_be_graded(classroom):
    done = classroom.fastgrade("grade", "doctor", check=False)
    assert "no assignment 'doctor'" in done.stderr


def test_quiet_prints_nothing_when_all_is_well(classroom):
    classroom.hand_in("ada", RIGHT)
    done = classroom.fastgrade("ps1", "--quiet")
    assert (done.stdout, done.stderr) == ("", "")


def test_a_terminal_shows_a_bar_with_done_rate_time_and_failures(classroom):
    for number in range(6):
        classroom.hand_in(f"s{number}", {**RIGHT, "why": str(number)})
    (classroom.root / "autograded").mkdir()
    (classroom.root / "autograded" / "s0").write_text("in the way")
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [str(BIN / "fastgrade"), "ps1"],
        cwd=classroom.root,
        env=environment(TERM="xterm"),
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    seen = b""
    with contextlib.suppress(OSError):  # how the end of a terminal is told
        while data := os.read(main, 65536):
            seen += data
    os.close(main)
    assert process.wait() == 1
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.decode())
    for shown in ("0/6 done", "6/6 done", "/s", "left", "1 failed", "cannot be recorded"):
        assert shown in text, text


def test_it_works_from_another_folder(classroom, tmp_path):
    classroom.hand_in("ada", RIGHT)
    run("fastgrade", "ps1", "--course", str(classroom.root), cwd=tmp_path)
    assert classroom.score("ada") == 5.0
    run_warm("fastgrade", "report", "ps1", "--course", "course", "--output", "r.html", cwd=tmp_path)
    assert (tmp_path / "r.html").exists()


def test_a_lost_folder_or_gradebook_row_is_made_again(classroom):
    classroom.hand_in("ada", RIGHT)
    classroom.fastgrade("ps1")
    with sqlite3.connect(classroom.database) as connection:
        connection.execute("UPDATE grade SET auto_score = 99")
    assert counts(classroom.fastgrade("ps1"))["written again from the journal"] == 1
    assert classroom.score("ada") == 5.0
    notebook = classroom.autograded("ada") / "arithmetic.ipynb"
    os.unlink(notebook)
    assert counts(classroom.fastgrade("ps1"))["graded"] == 1
    assert notebook.exists()


def test_no_submission_writes_control_characters_to_the_terminal():
    assert printable("a\x1b[2Jb\r\n[red]é") == "a\\x1b[2Jb\\r\\n\\[red]é"


def test_no_name_of_a_student_writes_control_characters_to_the_terminal(classroom):
    name = "eve\x1b[2J\x1b]0;owned\x07"
    classroom.hand_in(name, RIGHT)
    hook = "def hook(**about):\n    raise ValueError('no')\nc.Autograde.pre_convert_hook = hook"
    classroom.configure(hook)
    for arguments in (["--dry-run"], []):
        done = classroom.fastgrade("ps1", *arguments)
        assert "eve\\x1b[2J\\x1b]0;owned\\x07" in done.stdout
        assert not {"\x1b", "\x07"} & {*done.stdout, *done.stderr}


@pytest.fixture
def two(classroom):
    """A classroom with a second assignment that is like the first."""
    shutil.copytree(classroom.root / "source" / "ps1", classroom.root / "source" / "ps2")
    classroom.nbgrader("generate_assignment", "*", "--force")
    return classroom


def test_several_assignments_are_graded_in_one_start_with_one_summary(two):
    two.hand_in("ada", RIGHT)
    two.hand_in("bob", WRONG)
    two.hand_in("ada", {**WRONG, "why": "No idea."}, "ps2")
    done = two.fastgrade("ps1", "ps2")
    assert counts(done, "ps1")["graded"] == 2
    assert counts(done, "ps2") == {**counts(done, "ps2"), "graded": 1, "mean": "3.00 of 6"}
    assert counts(done, "all")["handed in"] == 3
    assert done.stdout.count("handed in") == 1, "one table for all"
    assert [two.score("ada"), two.score("bob"), two.score("ada", "ps2")] == [5.0, 3.0, 3.0]
    assert counts(two.fastgrade("ps*"), "all")["up to date"] == 3
    planned = two.fastgrade("--all", "--dry-run", "--force")
    assert "ps1: 2 of 2 submissions would be graded" in planned.stdout
    assert "ps2: 1 of 1 submissions would be graded" in planned.stdout


def test_all_are_those_that_somebody_has_handed_in(two):
    two.hand_in("ada", RIGHT)
    assert counts(two.fastgrade("--all"))["graded"] == 1
    done = two.fastgrade("ps1", "ps2", check=False)
    assert done.returncode == 3, "one that is named must be there"
    assert "nobody has handed in 'ps2'" in done.stderr


def test_students_are_sought_in_all_assignments_together(two):
    two.hand_in("ada", RIGHT)
    two.hand_in("bob", WRONG, "ps2")
    done = two.fastgrade("--all", "--students", "bob")
    assert counts(done, "ps2")["graded"] == 1
    assert "ps1" not in done.stdout
    done = two.fastgrade("--all", "--students", "ada,zoe", check=False)
    assert done.returncode == 3
    assert "no submission of 'ps1', 'ps2' by zoe (2 others are there)" in done.stderr


def test_an_assignment_that_another_run_grades_holds_up_no_other(two):
    two.hand_in("ada", RIGHT)
    two.hand_in("ada", WRONG, "ps2")
    with Journal(path_of(two.root, "ps1")):
        done = two.fastgrade("ps1", "ps2", check=False)
    assert done.returncode == 5
    assert "another run" in done.stderr
    assert counts(done, "ps2")["graded"] == 1
    assert "ps1 " not in done.stdout


def test_the_summary_fits_a_terminal_of_eighty_columns(classroom):
    classroom.hand_in("ada", RIGHT)
    done = classroom.fastgrade("ps1", COLUMNS=80)
    assert "…" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_the_bar_counts_the_submissions_of_all_assignments():
    progress, observe = terminal.progress_bar(terminal.console())
    observe([Summary("a", total=4, graded=2), Summary("b", total=3, failed=[("ada", "odd")])])
    (bar,) = progress.tasks
    assert (bar.completed, bar.total, bar.fields["failures"]) == (3, 7, "1 failed")


def test_hidden_tests_are_refused_without_the_secret_or_where_others_can_read_it(classroom):
    classroom.hand_in("ada", RIGHT)
    kept = classroom.root / "kept"
    kept.write_text("s")
    kept.chmod(0o644)
    classroom.configure(f"c.FastGrade.secrets = ['S']\nc.FastGrade.secret_files = ['{kept}']")
    done = classroom.fastgrade("ps1", check=False)
    assert (done.returncode, "the secret S is not set" in done.stderr) == (4, True)
    classroom.configure("c.FastGrade.judge_environment = {'S': 's'}")
    done = classroom.fastgrade("ps1", check=False)
    assert (done.returncode, "chmod 600" in done.stderr) == (4, True)
    kept.chmod(0o600)
    classroom.fastgrade("ps1")
    assert classroom.score("ada") == 5


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        (
            "c.AssignLatePenalties.plugin_class = 'nbgrader.plugins.Nothing'",
            "c.AssignLatePenalties.plugin_class must be",
        ),
        ("c.CourseDirectory.db_url = 'sqlite:////sys/grades.db'", "c.CourseDirectory.db_url"),
        ("c.FastGrade.preload = ['nmpy']", "c.FastGrade.preload"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_in_one_line(classroom, setting, named):
    classroom.hand_in("ada", RIGHT)
    classroom.configure(setting)
    done = classroom.fastgrade("ps1", check=False)
    assert done.returncode == 3
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_for_an_assignment_that_there_is_not_are_told(classroom):
    classroom.hand_in("ada", RIGHT)
    classroom.configure("c.FastGrade.assignments = {'ps9': {'cell_seconds': 9}}")
    told = " ".join(classroom.fastgrade("ps1", "--dry-run").stdout.split())
    assert "c.FastGrade.assignments names no assignment of this course: ps9" in told
