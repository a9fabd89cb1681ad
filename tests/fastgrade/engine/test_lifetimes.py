"""No process outlives what it was started for, whoever is killed and whenever."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from fastgrade.batch.dask_pool import DaskPool
from fastgrade.sandbox.protection import probe
from fastgrade.settings import Limits, Settings
from fastgrade.verdict import Task
from tests import ROOT
from tests.fastgrade.cells import code, notebook
from tests.fastgrade.cluster import Cluster, finish
from tests.processes import descendants, no_process_is_left, state
from warmfork import processes

pytestmark = pytest.mark.slow

#: An answer that leaves sleepers of every kind it can make.
SLEEPERS = """
import os, signal, time
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
def sleep(depth):
    for leave in (os.setsid, lambda: os.setpgid(0, 0)):
        try:
            leave()
        except OSError:
            pass
    if depth and os.fork() == 0:
        sleep(depth - 1)
    print("asleep", flush=True)
    time.sleep(10_000)
for depth in range(3):
    if os.fork() == 0:
        sleep(depth)
time.sleep(10_000)
"""
GRADER = """
import json, sys, threading
sys.path[:0] = {path!r}
from dataclasses import replace
from fastgrade.settings import Limits, Settings
from fastgrade.sandbox.protection import probe
from fastgrade.verdict import Task
from fastgrade.engine.grader import Grader
source = open({source!r}, "rb").read()
limits = Limits(cell_seconds={seconds!r}, memory_mb=300, processes=12)
settings = Settings(namespaces={namespaces!r}, limits=limits, minimum_protection="none")
def tell(line):
    sys.stdout.write(json.dumps(line) + "\\n")  # in one piece: two threads talk
    sys.stdout.flush()
with Grader(settings, {protection}) as grader:
    def grade():
        try:
            verdict = grader.grade(Task("ps1", "a", "ps1", source, source))
            tell(["graded", verdict.points])
        except Exception as error:
            tell(["stopped", type(error).__name__])
    threads = [threading.Thread(target=grade) for _ in range(2)]
    for thread in threads:
        thread.start()
    tell(["zygote", grader.zygote("student", settings).pid])
    for thread in threads:
        thread.join()
tell(["closed", 0])
"""


@pytest.fixture
def start(tmp_path):
    """Start a grader of two submissions full of sleepers; return it and its warm process."""
    source = tmp_path / "source.ipynb"
    source.write_bytes(
        notebook(
            code(SLEEPERS, "answer", solution=True),
            code("assert True", "test", grade=True, locked=True, points=1),
        )
    )
    started = []

    def begin(level, seconds=60):
        program = GRADER.format(
            path=[str(ROOT), *(path for path in sys.path if path)],
            source=str(source),
            seconds=seconds,
            namespaces=level == "namespaces",
            protection="replace(probe(), level='rlimits')" if level == "rlimits" else "None",
        )
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        started.append(process)
        kind, pid = json.loads(process.stdout.readline())
        assert kind == "zygote"
        return process, pid

    yield begin
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def sleepers(zygote, wanted, patience=120):
    """Return what lives below a warm process once there are so many of them."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        below = descendants(zygote)
        if len(below) >= wanted:
            return below
        time.sleep(0.01)
    return descendants(zygote)


def chain(zygote):
    """Return the only child, its only child and so on: wrapper, keeper, the one that forks."""
    found = [zygote]
    while True:
        children = [child for child in descendants(found[-1]) if parent(child) == found[-1]]
        if len(children) != 1:
            return found
        found.append(children[0])


def parent(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


LEVELS = [
    pytest.param(
        level,
        marks=pytest.mark.skipif(
            not probe().reaches(level), reason=f"this machine does not reach {level!r}"
        ),
    )
    for level in ("rlimits", "sandbox", "namespaces")
]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "victims",
    ["command", "top", "warm", "command and top", "command and warm", "top and warm"],
)
def test_nothing_outlives_a_kill(start, level, victims):
    """Kill -9 whom you like, at a moment that no two runs share."""
    if level == "rlimits" and victims == "top and warm":
        pytest.skip("without a sandbox an answer can leave its session, and then nobody knows it")
    chance = random.Random(f"{level} {victims}")
    process, zygote = start(level, seconds=600)
    below = sleepers(zygote, 12 if chance.random() < 0.7 else 3)
    time.sleep(chance.random() * 0.2)
    below |= descendants(zygote)
    warm = chain(zygote)[-1]
    numbers = {"command": process.pid, "top": zygote, "warm": warm}
    for name in victims.split(" and "):
        os.kill(numbers[name], signal.SIGKILL)
    if level == "namespaces" and victims == "top":
        # Nothing but bubblewrap's outer process has ended, and nobody needs that.
        assert os.path.exists(f"/proc/{warm}")
        process.kill()
    doomed = below | {zygote}
    assert no_process_is_left(doomed), [(pid, state(pid), parent(pid)) for pid in doomed]
    # What came after the look holds its channels open: a command that lives finds out all the same.
    process.wait(timeout=300)
    assert no_process_is_left(processes.in_session(zygote))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("killed", [False, True])
def test_nothing_outlives_its_submission(start, level, killed):
    """The grader goes on; what a submission has started ends with it, at its limit of time."""
    process, zygote = start(level, seconds=8)
    below = sleepers(zygote, 12)
    warm = chain(zygote)[-1]
    forks = [pid for pid in below if parent(pid) == warm]
    family = {pid for fork in forks for pid in (fork, *descendants(fork))}
    assert len(family) >= 6
    for pid in forks if killed else ():
        os.kill(pid, signal.SIGKILL)
    assert no_process_is_left(family), [(pid, state(pid), parent(pid)) for pid in family]
    told = [json.loads(line) for line in process.stdout]
    assert [kind for kind, _ in told] == ["graded", "graded", "closed"]


# ---- a cluster ----


def warm_of_worker(pid):
    """Return the warm processes below a Dask worker: each leads a session of its own."""
    return {child for child in descendants(pid) if processes.state(child)[3:4] == [child]}


def hostile_task(number):
    """Every third answer leaves sleepers of every kind; the others are right."""
    answer = SLEEPERS if number % 3 == 0 else f"x = {number}"
    source = notebook(
        code(answer, "answer", solution=True),
        code("assert True", "test", grade=True, locked=True, points=1),
    )
    return Task("ps1", f"s{number}", "ps1", source, source)


@pytest.mark.parametrize("nanny", [False, True], ids=["the worker", "its nanny, too"])
def test_no_sleeper_outlives_a_killed_dask_worker(tmp_path, nanny):
    """What it was grading is graded by the other one, and everything once."""
    limits = Limits(cell_seconds=8, memory_mb=300, processes=12)
    cluster = Cluster(tmp_path)
    try:
        victim = cluster.start_worker()
        cluster.start_worker()
        cluster.wait_for(2)
        with DaskPool(
            Settings(limits=limits), cluster.address, cluster.certificates, chunk=2
        ) as pool:
            for number in range(12):
                pool.submit(number, hostile_task(number))
            first = pool.wait(0)  # sends what waits for a full chunk
            deadline = time.monotonic() + 600
            while time.monotonic() < deadline:
                warm = warm_of_worker(victim.pid)
                below = {pid for leader in warm for pid in descendants(leader)}
                if len(below) >= 10:
                    break
                time.sleep(0.01)
            assert len(below) >= 10, "it never slept"
            doomed = below | warm
            working = descendants(victim.pid) - doomed - {pid for w in warm for pid in chain(w)}
            for pid in (*working, *([victim.pid] if nanny else ())):
                os.kill(pid, signal.SIGKILL)
            assert no_process_is_left(doomed), [(pid, state(pid), parent(pid)) for pid in doomed]
            assert not any(map(processes.in_session, warm))
            found = finish(pool, 12 - len(first))
    finally:
        cluster.stop()
    found |= {outcome.number: outcome for outcome in first}
    points = [found[number].verdict and found[number].verdict.points for number in range(12)]
    assert points == [1.0] * 12
