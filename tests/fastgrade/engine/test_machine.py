"""What the machine or the course is to blame for is no verdict: it is told, and graded again."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from fastgrade.batch import pool as pools
from fastgrade.batch.journal import Journal, path_of
from fastgrade.batch.local_pool import LocalPool
from fastgrade.engine import grader as grading
from fastgrade.engine import questions
from fastgrade.engine.grader import Grader, MachineError
from fastgrade.settings import Limits, Settings
from fastgrade.verdict import Task
from tests.fastgrade.cells import code, notebook
from tests.fastgrade.classroom import RIGHT, WRONG
from tests.processes import descendants, kill_family
from warmfork.zygote import RefusedError

pytestmark = pytest.mark.slow

SETTINGS = Settings(limits=Limits(cell_seconds=5, memory_mb=400))


@pytest.fixture(autouse=True)
def _no_breath(monkeypatch):
    monkeypatch.setattr(pools, "BREATH", 0.01)


@pytest.fixture(scope="module")
def grader():
    with Grader(SETTINGS) as grader:
        yield grader


def task(test, setup="x = 1", answer="y = 1", files=None):
    source = notebook(
        code(setup, "setup", locked=True),
        code(answer, "answer", solution=True),
        code(test, "test", grade=True, locked=True, points=2),
    )
    return Task("ps1", "ada", "ps1", source, source, files or {})


# ---- a judge that cannot do its work


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("import nothing_of_this_name\nassert y == 1", "ModuleNotFoundError"),
        ("from os import nothing_of_this_name", "ImportError"),
        ("open('/no/such/table.csv')", "FileNotFoundError"),
        ("raise OSError(28, 'No space left on device')", "No space left"),
        ("raise BlockingIOError(11, 'try again')", "BlockingIOError"),
    ],
)
def test_a_test_that_cannot_run_is_no_zero(grader, test, told):
    with pytest.raises(MachineError, match=told) as caught:
        grader.grade(task(test))
    assert "'test'" in str(caught.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has files that others cannot read")
def test_a_file_that_the_judge_must_not_read_is_no_zero(grader, tmp_path):
    path = tmp_path / "expected.txt"
    path.write_text("1")
    path.chmod(0o600)
    with pytest.raises(MachineError, match="PermissionError"):
        grader.grade(task(f"assert y == int(open({str(path)!r}).read())"))


@pytest.mark.parametrize("setup", ["import nothing_of_this_name as x", "x = open('no.csv').read()"])
def test_a_setup_that_fails_in_the_judge_is_no_zero(grader, setup):
    with pytest.raises(MachineError, match="setup cell"):
        grader.grade(task("assert x", setup=setup))


def test_a_setup_that_hangs_in_the_judge_is_no_zero():
    hanging = task("assert x", setup="import time\nx = time.sleep(60)")
    settings = Settings(limits=Limits(cell_seconds=1))
    with Grader(settings) as hasty, pytest.raises(MachineError, match="did not finish"):
        hasty.grade(hanging)


@pytest.mark.parametrize(
    "answer",
    [
        "def y():\n    import nothing_of_this_name",
        "def y():\n    raise PermissionError(13, 'no')",
        "def y():\n    open('/no/such/file')",
        "def y():\n    raise OSError(28, 'No space left on device')",
    ],
)
def test_the_same_errors_of_an_answer_are_its_own(grader, answer):
    verdict = grader.grade(task("y()", answer=answer))
    assert [(q.points, q.passed) for q in verdict.questions] == [(0.0, False)]


def test_what_an_answer_makes_of_a_lent_function_is_its_own(grader):
    verdict = grader.grade(
        task("y(open)", answer="def y(f):\n    return f('/etc/shadow-of-a-doubt')")
    )
    assert verdict.points == 0


def test_a_file_that_was_not_handed_in_costs_its_question(grader):
    assert grader.grade(task("open('handed-in.csv')")).points == 0
    assert grader.grade(task("open('handed-in.csv')", files={"handed-in.csv": b"1"})).points == 2


def test_a_judge_killed_from_outside_is_no_zero(grader):
    """As the system does when memory runs out."""
    source = task("f()", answer="import time\ndef f():\n    time.sleep(30)")

    def kill(self, asked, deadline):
        os.kill(in_this_namespace(grader.zygote("judge", SETTINGS), asked.judge.pid), 9)
        return wait(self, asked, deadline)

    wait = questions.Examination._await_verdict
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(questions.Examination, "_await_verdict", kill)
        with pytest.raises(MachineError, match="killed from outside"):
            grader.grade(source)


def in_this_namespace(zygote, pid):
    """Return the number that a fork of a warm process has out here."""
    for child in descendants(zygote.pid):
        with open(f"/proc/{child}/status", encoding="latin-1") as status:
            for line in status:
                if line.startswith("NSpid:") and int(line.split()[-1]) == pid:
                    return child
    raise AssertionError(f"no process {pid} in the namespace of the warm process")


# ---- a machine without room


def test_a_full_disk_is_no_zero(grader, monkeypatch):
    real, spare = os.statvfs, [1 << 30, 0]

    def statvfs(path):
        left = spare.pop(0) if len(spare) > 1 else spare[0]
        return SimpleNamespace(
            f_bavail=left, f_frsize=1, f_files=real(path).f_files, f_favail=1 << 20
        )

    monkeypatch.setattr(grading.os, "statvfs", statvfs)
    with pytest.raises(MachineError, match="is full"):
        grader.grade(task("assert y == 2"))
    spare[:] = [1 << 30, 0]
    assert grader.grade(task("assert y == 1")).points == 2, "who passed had room enough"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_small_disk_that_is_full_fails_the_submissions_and_not_the_students(tmp_path):
    program = f"""
import os, sys, tempfile
sys.path[:0] = {[str(p) for p in sys.path if p]!r}
tempfile.tempdir = {str(tmp_path)!r}
from tests.fastgrade.engine.test_machine import task, SETTINGS
from fastgrade.batch.local_pool import LocalPool
with LocalPool(SETTINGS, 1) as pool:
    pool.submit(1, task("assert y == 1"))
    (outcome,) = pool.wait(60)
    assert outcome.verdict.points == 2, outcome
    hoard = open({str(tmp_path / "hoard")!r}, "wb", buffering=0)
    try:
        while True:
            hoard.write(bytes(1 << 16))
    except OSError as error:
        assert error.errno == {errno.ENOSPC}
    pool.submit(2, task("assert y == 1", answer="open('x', 'w').write('x' * 99999)\\ny = 1"))
    (outcome,) = pool.wait(60)
    assert outcome.verdict is None, outcome
    print(outcome.reason)
    os.unlink(hoard.name); hoard.close()
    pool.submit(3, task("assert y == 1"))
    (outcome,) = pool.wait(60)
    assert outcome.verdict.points == 2, outcome
"""
    command = f'mount -t tmpfs -o size=16m none "{tmp_path}" && exec "$0" -c "$1"'
    done = subprocess.run(
        ["unshare", "--mount", "/bin/sh", "-c", command, sys.executable, program],
        capture_output=True,
        text=True,
        timeout=120,
    )
    if "unshare failed" in done.stderr or "permission denied" in done.stderr.lower():
        pytest.skip("this root cannot mount")
    assert done.returncode == 0, done.stderr
    assert "full" in done.stdout or "No space" in done.stdout


def test_a_machine_without_processes_fails_the_submission_and_recovers(monkeypatch):
    """The warm processes lose the right to fork, as on a machine that is full, and get it back."""
    with LocalPool(SETTINGS, 1) as pool:
        grader = pool._graders.get()
        forks = []
        real = type(grader.zygote("judge", SETTINGS)).fork

        def fork(self, entry, arguments, descriptors=(), **others):
            forks.append(entry)
            if entry == "fastgrade.engine.judge_process:main" and refuse:
                raise RefusedError("fork: [Errno 11] Resource temporarily unavailable")
            return real(self, entry, arguments, descriptors, **others)

        monkeypatch.setattr("warmfork.zygote.Zygote.fork", fork)
        refuse = True
        before = len(os.listdir("/proc/self/fd"))
        pool.submit(1, task("assert y == 1"))
        (outcome,) = pool.wait(60)
        assert outcome.verdict is None
        assert not outcome.fatal
        assert "Resource temporarily unavailable" in outcome.reason
        assert forks.count("fastgrade.engine.judge_process:main") == pools.TRIES
        assert pool._graders.get() is grader, "it lives, so it stays"
        assert len(os.listdir("/proc/self/fd")) == before, "nothing is left open"
        refuse = False
        pool.submit(2, task("assert y == 1"))
        (outcome,) = pool.wait(60)
        assert outcome.verdict.points == 2


@pytest.mark.parametrize("victim", ["all", "last"])
def test_who_was_killed_from_outside_is_graded_again_alone(grader, victim):
    """Its process, or only the fork that waits for the test."""
    warm = grader.zygote("student", SETTINGS).pid
    idle = descendants(warm)
    killed = []

    def kill():
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not killed:
            found = sorted(descendants(warm) - idle)
            if len(found) >= (3 if grader.level == "namespaces" else 2):
                time.sleep(0.3)
                killed.extend(found if victim == "all" else found[-1:])
                for pid in killed:
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)

    source = notebook(
        code("y = 1", "answer", solution=True),
        code("assert y == 1", "test", grade=True, locked=True, points=2),
        code("import time\ntime.sleep(1.5)", "more", solution=True),
    )
    thread = threading.Thread(target=kill)
    thread.start()
    verdict = grader.grade(Task("ps1", "ada", "ps1", source, source))
    thread.join()
    assert killed
    assert verdict.points == 2
    assert verdict.flags == ()


# ---- what a run makes of it


def test_a_broken_contract_fails_the_class_and_the_next_run_grades_it(classroom):
    """A module of the course that loads in the warm judge, and not in the judge of a submission."""
    (classroom.root / "contract.py").write_text(
        "def check(f):\n    import contract_tables\n    assert f(40, 2) == 42\n"
    )
    source = classroom.root / "source/ps1/arithmetic.ipynb"
    text = source.read_text()
    assert "assert add(40, 2) == 42" in text
    source.write_text(
        text.replace("assert add(40, 2) == 42", "from contract import check; check(add)")
    )
    classroom.configure('c.FastGrade.judge_preload = ["contract"]')
    classroom.nbgrader("generate_assignment", "ps1", "--force")
    for student, answers in {"ada": RIGHT, "bob": WRONG}.items():
        classroom.hand_in(student, answers)
    more = {"PYTHONPATH": classroom.root}

    broken = classroom.fastgrade("ps1", check=False, **more)
    assert broken.returncode == 3, broken.stdout + broken.stderr
    assert "nobody is graded" in broken.stderr
    assert "contract_tables" in broken.stderr
    assert not classroom.autograded("ada").exists()
    with Journal(path_of(classroom.root, "ps1"), readonly=True) as journal:
        assert not list(journal.entries())
    with classroom.gradebook() as book:
        students = [s.student.id for s in book.assignment_submissions("ps1")]
    assert "ada" not in students, "no zero"

    (classroom.root / "contract_tables.py").write_text("")
    classroom.configure('c.FastGrade.judge_preload = ["contract", "contract_tables"]')
    mended = classroom.fastgrade("ps1", **more)
    assert classroom.score("ada") == 5.0, mended.stdout
    assert classroom.score("bob") == 3.0


def test_a_contract_that_cannot_be_loaded_stops_the_run_before_it_grades(classroom):
    (classroom.root / "contract.py").write_text("open('/no/such/table.csv')")
    classroom.configure('c.FastGrade.judge_preload = ["contract"]')
    classroom.hand_in("ada", RIGHT)
    done = classroom.fastgrade("ps1", check=False, PYTHONPATH=classroom.root)
    assert done.returncode == 3
    assert "/no/such/table.csv" in done.stderr
    assert not classroom.autograded("ada").exists()


def test_killed_warm_processes_of_a_long_lived_server_are_replaced():
    """Formgrader's server keeps its grader for days."""
    from fastgrade.course import execute_step

    verdicts = []
    try:
        for _ in range(2):
            verdicts.append(execute_step._grade(SETTINGS, task("assert y == 1")))
            for _, kept in execute_step._graders.values():
                for zygote in kept._zygotes.values():
                    kill_family(zygote.pid)
    finally:
        execute_step._close()
    assert [verdict.points for verdict in verdicts] == [2.0, 2.0]
