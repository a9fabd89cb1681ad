"""A run may be killed at any moment; the same command then finishes the work, once each."""

import os
import random
import signal
import subprocess
import time
from collections import Counter

import nbformat
import pytest

from fastgrade.batch import recording
from fastgrade.batch.journal import Journal, path_of
from fastgrade.batch.local_pool import LocalPool
from fastgrade.batch.rules import Rules
from fastgrade.batch.run import Run
from fastgrade.batch.solution import STUDENT
from fastgrade.course import autograded_folder, submitted_folder
from fastgrade.course.config import load_course
from fastgrade.course.gradebook import Gradebook
from fastgrade.notebook import submission
from tests.fastgrade.classroom import BIN, RIGHT, WRONG, counts, environment
from tests.processes import descendants, no_process_is_left

pytestmark = pytest.mark.slow

NUMBER = 60


def hand_in_all(classroom):
    for number in range(NUMBER):
        answers = RIGHT if number % 4 else WRONG
        classroom.hand_in(f"s{number:02}", {**answers, "why": f"Reason {number}."})


def hold(classroom):
    """Let no run end by itself: the last answer sleeps for an hour."""
    classroom.configure('c.FastGrade.limits = {"cell_seconds": 3600, "total_seconds": 3600}')
    sleeper = "import time\ntime.sleep(3600)\n" + RIGHT["add"]
    classroom.hand_in(f"s{NUMBER - 1:02}", {**RIGHT, "add": sleeper})


def let_go(classroom):
    """Hand in the last answer anew, without its sleep."""
    last = NUMBER - 1
    classroom.hand_in(f"s{last:02}", {**RIGHT, "why": f"Reason {last}."})


def start(classroom):
    return subprocess.Popen(
        [str(BIN / "fastgrade"), "ps1"],
        cwd=classroom.root,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        # Tests that run in the background of a shell ignore Ctrl-C, and would pass that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def verdict_lines(classroom):
    """How often each student was graded, from the journal's lines."""
    path = path_of(classroom.root, "ps1")
    graded = Counter()
    if path.exists():
        for line in path.read_bytes().split(b"\n"):
            if b'{"kind":"verdict"' in line:
                graded[line.split(b'"student":"', 1)[1].split(b'"', 1)[0].decode()] += 1
    return graded


def wait_for_verdicts(classroom, process, number):
    """Wait until a run has recorded so many."""
    patience = time.monotonic() + 600
    while sum(verdict_lines(classroom).values()) < number:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < patience
        time.sleep(0.01)


def assert_graded_once_each(classroom):
    with classroom.gradebook() as book:
        submissions = book.assignment_submissions("ps1")
        assert len(submissions) == NUMBER
        for submission in submissions:
            number = int(submission.student.id[1:])
            assert submission.score == (5.0 if number % 4 else 3.0)
            (notebook,) = submission.notebooks
            assert len(notebook.grades) == 3
            assert len(notebook.comments) == 3
    for number in range(NUMBER):
        folder = classroom.autograded(f"s{number:02}")
        assert os.listdir(folder) == ["arithmetic.ipynb"]
        nbformat.validate(nbformat.read(folder / "arithmetic.ipynb", as_version=4))
        assert os.listdir(folder.parent) == ["ps1"], "nothing half made is left"
    with Journal(path_of(classroom.root, "ps1"), readonly=True) as journal:
        assert len(journal) == NUMBER
        assert journal.damaged == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_kill_9_at_any_moment_loses_and_doubles_nothing(classroom, seed):
    hand_in_all(classroom)
    hold(classroom)
    chance = random.Random(seed)
    for _ in range(6):
        before = sum(verdict_lines(classroom).values())
        process = start(classroom)
        # Anything from start-up to somewhere in the middle of recording.
        wanted = min(before + chance.randrange(1, 12), NUMBER - 1)
        wait_for_verdicts(classroom, process, wanted)
        time.sleep(chance.random() * 0.3)
        below = descendants(process.pid)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert no_process_is_left(below), "warm processes outlive a killed run"
    let_go(classroom)
    classroom.fastgrade("ps1")
    assert_graded_once_each(classroom)
    assert set(verdict_lines(classroom).values()) == {1}, "a recorded verdict is never redone"
    assert counts(classroom.fastgrade("ps1"))["up to date"] == NUMBER


class Killed(BaseException):
    """Stands for SIGKILL at an exact place: nothing on the way out may catch it."""


@pytest.mark.parametrize("place", ["install", "swap", "journal", "gradebook", "applied"])
def test_between_any_two_steps(classroom, place, monkeypatch):
    """The same promise at each exact boundary of a batch, which luck would seldom hit."""

    for name in ("ada", "bob"):
        classroom.hand_in(name, {**WRONG, "why": name})
    classroom.fastgrade("ps1")
    for name in ("ada", "bob"):
        classroom.hand_in(name, {**RIGHT, "why": name})

    def die(*args, **more):
        raise Killed

    with monkeypatch.context() as patch:
        if place == "install":
            real = autograded_folder.install
            done = []

            def one(*args, **more):
                if done:
                    raise Killed
                done.append(real(*args, **more))

            patch.setattr(autograded_folder, "install", one)
        elif place == "swap":

            def half(building, destination):
                os.rename(destination, building.with_name(f"{building.name}.old"))
                raise Killed

            patch.setattr(autograded_folder, "_swap", half)
            patch.setattr(autograded_folder.shutil, "rmtree", lambda *args, **more: None)
        elif place == "journal":
            patch.setattr(Journal, "add_verdicts", die)
        elif place == "gradebook":
            patch.setattr(Gradebook, "write", die)
        else:
            patch.setattr(Journal, "add_applied", die)
        course = load_course(classroom.root)
        with Run(course, "ps1") as run, pytest.raises(Killed):
            run.grade(lambda settings: LocalPool(settings, 2))
    done = classroom.fastgrade("ps1")
    assert "failed" in done.stdout
    for name in ("ada", "bob"):
        assert classroom.score(name) == 5.0
        assert os.listdir(classroom.autograded(name).parent) == ["ps1"]
        assert "a + b" in (classroom.autograded(name) / "arithmetic.ipynb").read_text()
    with classroom.gradebook() as book:
        assert len(book.assignment_submissions("ps1")) == 2
    before = verdict_lines(classroom)
    assert counts(classroom.fastgrade("ps1"))["up to date"] == 2
    assert verdict_lines(classroom) == before


def test_control_c_records_what_is_done(classroom):
    hand_in_all(classroom)
    hold(classroom)
    process = start(classroom)
    wait_for_verdicts(classroom, process, 3)
    below = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=600)
    assert process.returncode == 130
    assert b"interrupted after" in told
    assert b"Traceback" not in told
    assert no_process_is_left(below)
    let_go(classroom)
    classroom.fastgrade("ps1")
    assert_graded_once_each(classroom)


def test_a_run_that_dies_while_removing_the_old_folder_leaves_a_whole_one(classroom):
    classroom.hand_in("ada", RIGHT)
    classroom.fastgrade("ps1")
    stray = classroom.autograded("ada").with_name(".fastgrade-ps1-abcd1234.old")
    stray.mkdir()
    (stray / "arithmetic.ipynb").write_text("old")
    classroom.fastgrade("ps1", "--force")
    assert os.listdir(classroom.autograded("ada").parent) == ["ps1"]


def test_a_course_can_finish_notebooks_its_own_way(classroom):
    """nbgrader's preprocessors that follow execution run here too, with their settings."""
    shout = {**RIGHT, "add": "for i in range(50):\n    print('line', i)\n" + RIGHT["add"]}
    classroom.hand_in("ada", shout)
    classroom.configure("c.LimitOutput.max_lines = 5")
    classroom.fastgrade("ps1")
    text = (classroom.autograded("ada") / "arithmetic.ipynb").read_text()
    assert "Output truncated" in text
    assert "line 40" not in text


@pytest.mark.parametrize("place", ["read", "finish"])
def test_what_fails_with_one_submission_stops_no_other(classroom, place, monkeypatch):
    """The known ways to make reading fail are closed; the next one shall cost nobody else."""

    for name in ("ada", "eve", "zoe"):
        classroom.hand_in(name, {**RIGHT, "why": name})
    if place == "read":
        owner, attribute = submitted_folder, "read_submission"
        student_of = lambda coursedir, submission, *more: submission.student  # noqa: E731
    else:
        owner, attribute = Rules, "finish"
        student_of = lambda rules, verdict: verdict.student  # noqa: E731

    real = getattr(owner, attribute)

    def fail_for_eve(*arguments):
        if student_of(*arguments) == "eve":
            raise ArithmeticError("odd")
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(owner, attribute, fail_for_eve)
        with Run(load_course(classroom.root), "ps1") as run:
            run.plan()
        with Run(load_course(classroom.root), "ps1") as run:
            summary = run.grade(lambda settings: LocalPool(settings, 2))
    ((student, reason),) = summary.failed
    assert student == "eve"
    assert reason.endswith("ArithmeticError: odd")
    assert [classroom.score(name) for name in ("ada", "zoe")] == [5.0, 5.0]
    classroom.fastgrade("ps1")
    assert classroom.score("eve") == 5.0


def test_data_files_reach_the_student_and_the_folder(classroom):
    (classroom.root / "source" / "ps1" / "data.txt").write_text("41")
    reads = "def add(a, b):\n    return a + b + int(open('data.txt').read()) - 41\n"
    folder = classroom.hand_in("ada", {**RIGHT, "add": reads})
    (folder / "data.txt").write_text("0")
    classroom.fastgrade("ps1")
    assert classroom.score("ada") == 5.0
    assert (classroom.autograded("ada") / "data.txt").read_text() == "41"
    (classroom.root / "source" / "ps1" / "data.txt").write_text("42")
    classroom.fastgrade("ps1")
    assert classroom.score("ada") == 3.0, "what a grade depends on has changed"


class InTurns:
    """A pool with room for one task, which notes whom it graded."""

    def __init__(self, pool):
        self.pool, self.graded, self.room_left = pool, [], 1

    def __enter__(self):
        self.pool.__enter__()
        return self

    def __exit__(self, *exc):
        self.pool.close()

    def room(self):
        return self.room_left

    def submit(self, number, task):
        self.graded.append(task.student)
        self.room_left -= 1
        self.pool.submit(number, task)

    def wait(self, timeout):
        outcomes = self.pool.wait(timeout)
        self.room_left += len(outcomes)
        return outcomes


@pytest.mark.parametrize("force", [False, True])
def test_a_verdict_serves_an_identical_submission_before_it_is_recorded(
    classroom,
    force,
    monkeypatch,
):

    for name in ("ada", "bob", "cyd"):
        classroom.hand_in(name, RIGHT)
    classroom.hand_in("dan", WRONG)
    monkeypatch.setattr(recording, "BATCH_SECONDS", 3600)  # nothing is recorded before the end
    pools = []

    def make(settings):
        pools.append(InTurns(LocalPool(settings, 1)))
        return pools[0]

    course = load_course(classroom.root)
    with Run(course, "ps1", force=force) as run:
        summary = run.grade(make)
    assert pools[0].graded == [STUDENT, "ada", "dan"]
    assert (summary.graded, summary.identical, summary.failed) == (2, 2, [])
    assert [classroom.score(name) for name in ("ada", "bob", "cyd", "dan")] == [5.0, 5.0, 5.0, 3.0]
    assert verdict_lines(classroom) == {"ada": 1, "bob": 1, "cyd": 1, "dan": 1}
    assert counts(classroom.fastgrade("ps1"))["up to date"] == 4


def test_a_submission_is_parsed_once(classroom, monkeypatch):
    parsed = []
    load = submission.load

    def counted(data):
        parsed.append(len(data))
        return load(data)

    monkeypatch.setattr(submission, "load", counted)
    classroom.hand_in("ada", RIGHT)
    folder = classroom.hand_in("bob", WRONG)
    notebook = nbformat.read(folder / "arithmetic.ipynb", as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="x" * (3 << 19))]
    nbformat.write(notebook, folder / "arithmetic.ipynb")
    with Run(load_course(classroom.root), "ps1") as run:
        run.grade(lambda settings: LocalPool(settings, 1))
    assert (classroom.score("ada"), classroom.score("bob")) == (5.0, 3.0)
    assert sorted(size > 1 << 20 for size in parsed) == [False, False, True]  # the solution's, too


def test_a_test_may_import_what_the_instructor_keeps_beside_the_notebook(classroom):
    """And nothing else: what students hand in would run where the grades are made."""
    source = classroom.root / "source/ps1"
    text = (source / "arithmetic.ipynb").read_text()
    (source / "arithmetic.ipynb").write_text(
        text.replace("assert add(40, 2) == 42", "import checks; checks.check(add)")
    )
    (source / "checks.py").write_text("def check(add):\n    assert add(40, 2) == 42\n")
    classroom.nbgrader("generate_assignment", "ps1", "--force")
    classroom.hand_in("ada", RIGHT)
    folder = classroom.hand_in("bob", {**RIGHT, "add": "def add(a, b):\n    return 3\n"})
    (folder / "checks.py").write_text("def check(add):\n    pass\n")
    with Run(load_course(classroom.root), "ps1") as run:
        run.grade(lambda settings: LocalPool(settings, 1))
    assert (classroom.score("ada"), classroom.score("bob")) == (5.0, 3.0)
