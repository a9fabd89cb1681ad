"""Threads may share a grader: each gets the verdict on its own submission, whatever meets.

Moments at which two threads can meet are made long here, so that they do meet.
"""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fastgrade.engine import grader as grading
from fastgrade.engine.grader import Grader
from fastgrade.settings import Limits, Settings
from fastgrade.verdict import Task
from tests.fastgrade.cells import code, notebook
from warmfork import zygote
from warmfork.channel import Channel

THREADS = 4
SETTINGS = Settings(namespaces=False, limits=Limits(cell_seconds=30, total_seconds=120))


class Hesitant(Channel):
    """Lets other threads go first, between a question and its answer."""

    def receive(self):
        time.sleep(0.01)
        return super().receive()


@pytest.fixture
def grader(monkeypatch):
    monkeypatch.setattr(zygote, "Channel", Hesitant)
    with Grader(SETTINGS) as grader:
        yield grader


def task(number):
    """An answer like no other, right in every second submission."""
    answer = f"import os\ndef mine():\n    return {number}\nprint('answer', {number})\n"
    files = {"number.txt": str(number).encode()}
    cells = [
        code(answer, "answer", solution=True),
        code("import os\nprint(sorted(os.listdir('.')), open('number.txt').read())"),
        code("assert mine() % 2 == 0, mine()", "test", grade=True, locked=True, points=1),
    ]
    source = notebook(*cells)
    return Task("ps1", f"s{number}", "ps1", source, source, files)


def printed(verdict):
    return "".join(
        "".join(output.get("text", ""))
        for cell in json.loads(verdict.autograded)["cells"]
        for output in cell.get("outputs", ())
    )


def test_every_thread_gets_the_verdict_on_its_own_submission(grader):
    start = threading.Barrier(THREADS)

    def some(first):
        start.wait()
        return {number: grader.grade(task(number)) for number in range(first, 24, THREADS)}

    with ThreadPoolExecutor(THREADS) as threads:
        verdicts = {}
        for found in threads.map(some, range(THREADS)):
            verdicts |= found
    assert len(verdicts) == 24
    for number, verdict in verdicts.items():
        assert verdict.student == f"s{number}"
        assert verdict.points == float(number % 2 == 0)
        assert printed(verdict).startswith(f"answer {number}\n['number.txt'] {number}\n")
        assert verdict.flags == ()


def test_every_thread_is_told_of_its_own_fork(grader):
    warm = grader.zygote("student", SETTINGS)
    start = threading.Barrier(THREADS)

    def fork_and_end(_):
        start.wait()
        seen = []
        for _ in range(5):
            pid = warm.fork("time:sleep", {})  # it cannot sleep so, and ends
            seen.append((pid, warm.end(pid).status >= 0))
        return seen

    with ThreadPoolExecutor(THREADS) as threads:
        seen = [pair for pairs in threads.map(fork_and_end, range(THREADS)) for pair in pairs]
    assert len(seen) == len({pid for pid, _ in seen}) == 5 * THREADS
    assert all(ended for _, ended in seen)


def test_threads_that_need_a_new_warm_process_at_once_share_one(monkeypatch):
    """Whoever comes second closes its own: nothing stays behind."""
    other = Settings(namespaces=False, preload=("colorsys",))
    meeting = threading.Barrier(2)
    made = []

    class Met(grading.Zygote):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            made.append(self)
            meeting.wait(60)

    with Grader(SETTINGS) as grader:
        monkeypatch.setattr(grading, "Zygote", Met)
        with ThreadPoolExecutor(2) as threads:
            first, second = threads.map(lambda _: grader.zygote("student", other), range(2))
        assert first is second
        assert len(made) == 2
        (closed,) = [one for one in made if one is not first]
        with pytest.raises(zygote.ZygoteError):
            closed.use(0, 0)
        assert first.use(first.fork("time:sleep", {}), 0).memory >= 0
