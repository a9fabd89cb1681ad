"""The instructor's own solution is graded first, and decides where tests run."""

import json

import pytest

from tests.fastgrade.cells import code, notebook
from tests.fastgrade.classroom import Classroom, run_warm

pytestmark = pytest.mark.slow

CONFIG = "c = get_config()\nc.CourseDirectory.course_id = 'testing'\n"


def solution(source):
    return f"### BEGIN SOLUTION\n{source}\n### END SOLUTION"


def cells(answer, *tests, setup=""):
    """Return an instructor's notebook."""
    first = [code(setup, "setup", locked=True)] if setup else []
    graded = [
        code(test, f"test-{number}", grade=True, locked=True, points=1)
        for number, test in enumerate(tests, 1)
    ]
    return notebook(*first, code(solution(answer), "answer", solution=True), *graded)


@pytest.fixture
def course(tmp_path):
    """A function that makes a course of one notebook, with the solution and no answer handed in."""

    def make(source, config="", **files):
        folder = tmp_path / "source" / "ps1"
        folder.mkdir(parents=True)
        (tmp_path / "nbgrader_config.py").write_text(CONFIG + config)
        (folder / "arithmetic.ipynb").write_bytes(source)
        for name, content in files.items():
            (folder / f"{name}.py").write_text(content)
        run_warm("nbgrader", "generate_assignment", "ps1", cwd=tmp_path)
        for student, answered in {"ada": source, "bob": None}.items():
            place = tmp_path / "submitted" / student / "ps1"
            place.mkdir(parents=True)
            released = tmp_path / "release" / "ps1" / "arithmetic.ipynb"
            (place / "arithmetic.ipynb").write_bytes(answered or released.read_bytes())
        return Classroom(tmp_path)

    return make


# What the judge cannot see, and stock nbgrader can.
LIVE = {
    "a figure": cells(
        "fig = plt.figure()\ndef f(x): return x + 1",
        "assert isinstance(fig, plt.Figure)",
        "assert f(1) == 2",
        setup="import matplotlib.pyplot as plt",
    ),
    "a class with its own ==": cells(
        "class P:\n    def __eq__(self, other): return True",
        "assert P() == P()",
        "assert callable(P)",
    ),
    "a module that the answer wrote": cells(
        "open('mine.py', 'w').write('def f(x): return x + 1')",
        "from mine import f\nassert f(1) == 2",
        "assert f(2) == 3",
    ),
    "what a magic returns": cells(
        "def f(x): return x + 1",
        "assert f(t.loops) == 3",
        "assert f(1) == 2",
        setup="t = %timeit -q -o -n 2 -r 1 sum(range(10))",
    ),
}


@pytest.mark.parametrize("kind", LIVE)
def test_tests_that_need_live_objects_run_beside_the_answer_and_the_instructor_is_told(
    course, kind
):
    classroom = course(LIVE[kind])
    done = classroom.fastgrade("ps1")
    assert classroom.score("ada") == 2
    assert classroom.score("bob") == 0
    assert "Tests run beside the answers" in done.stdout
    told = " ".join(done.stdout.split())
    assert "beside the answers (not leak-proof)" in told
    assert "does not pass them in the judge: test-1 in arithmetic.ipynb: " in told
    told = " ".join(classroom.fastgrade("doctor", check=False).stdout.split())
    assert "(not leak-proof): test-1 in arithmetic" in told
    classroom.fastgrade("report", "ps1")
    assert "(not leak-proof)" in (classroom.root / "report-ps1.html").read_text()
    graded = json.loads((classroom.autograded("ada") / "arithmetic.ipynb").read_text())
    ran = [cell["metadata"].get("fastgrade", {}).get("ran") for cell in graded["cells"]]
    assert "beside the answer" in ran


def test_tests_that_pass_in_the_judge_stay_there_in_silence(classroom):
    classroom.hand_in("ada", {})
    done = classroom.fastgrade("ps1")
    assert "beside" not in done.stdout
    kept = json.loads((classroom.root / ".fastgrade" / "ps1.solution.json").read_text())
    assert kept["examined"]["beside"] == []


def test_a_warning_of_the_solution_costs_nothing_and_is_told_before_anybody_is_graded(course):
    warns = "import warnings\nwarnings.warn('old')\nassert f(1) == 2"
    classroom = course(cells("def f(x): return x + 1", warns, "assert f(2) == 3"))
    done = classroom.fastgrade("ps1")
    assert classroom.score("ada") == 2
    told = " ".join(done.stdout.split())
    assert "prints a warning in these tests, which costs nothing here" in told
    assert "nbgrader autograde: test-1 in arithmetic.ipynb." in told
    assert "flagged ada" not in told


BROKEN = cells("def f(x): return x + 1", "assert f(1) == 2", "assert f(1) == 3, 'as I thought'")


@pytest.mark.parametrize("mode", ["auto", "judge", "kernel"])
def test_a_test_that_the_solution_fails_grades_nobody(course, mode):
    classroom = course(BROKEN, f"c.FastGrade.mode = '{mode}'\n")
    done = classroom.fastgrade("ps1", check=False)
    assert done.returncode == 3
    told = " ".join(done.stderr.split())
    assert "nobody is graded in ps1" in told
    assert "test-2 in arithmetic.ipynb: " in told
    assert told.count("as I thought") == 1
    assert "test-1" not in told
    assert not classroom.autograded("ada").exists()
    with classroom.gradebook() as book:
        assert not book.assignment_submissions("ps1")


def test_grading_without_a_look_at_the_solution_can_be_asked_for(course):
    classroom = course(BROKEN, "c.FastGrade.check_solution = False\n")
    classroom.fastgrade("ps1")
    assert classroom.score("ada") == 1


def test_judge_mode_refuses_tests_that_need_live_objects_and_names_the_remedy(course):
    classroom = course(LIVE["a figure"], "c.FastGrade.mode = 'judge'\n")
    done = classroom.fastgrade("ps1", check=False)
    assert done.returncode == 3
    assert 'c.FastGrade.mode = "auto"' in " ".join(done.stderr.split())


def test_a_solution_may_use_what_students_are_refused(course):
    source = cells("from reglib.textbook import soft_threshold as f", "assert f(3.0, 1.0) == 2")
    refused = "c.FastGrade.forbidden_modules = c.FastGrade.judge_preload = ['reglib.textbook']\n"
    classroom = course(source, refused)
    classroom.fastgrade("ps1")
    assert classroom.score("ada") == 0  # what is allowed to the instructor alone


def test_the_solution_is_graded_anew_only_when_something_has_changed(course):
    source = cells("def f(x): return x + h.one", "assert f(1) == 2", setup="import h")
    classroom = course(source, h="one = 1")
    kept = classroom.root / ".fastgrade" / "ps1.solution.json"
    classroom.fastgrade("ps1")
    first = kept.stat().st_mtime_ns
    classroom.fastgrade("ps1", "--force")
    assert kept.stat().st_mtime_ns == first
    (classroom.root / "source" / "ps1" / "h.py").write_text("one = 2")
    assert classroom.fastgrade("ps1", check=False).returncode == 3


def test_a_dry_run_says_that_the_solution_comes_first_and_grades_nothing(course):
    classroom = course(LIVE["a figure"])
    assert "solution would be graded first" in classroom.fastgrade("ps1", "--dry-run").stdout
    assert not (classroom.root / ".fastgrade").exists()
    classroom.fastgrade("ps1")
    assert "Tests run beside the answers" in classroom.fastgrade("ps1", "--dry-run").stdout
