"""Both pools grade what they are given, and survive the death of those who do the work."""

import contextlib
import json
import os
import signal
import socket
import threading
import time

import nbformat
import pytest

from fastgrade.batch.certificates import make
from fastgrade.batch.dask_pool import DaskPool, _outcome
from fastgrade.batch.local_pool import LocalPool
from fastgrade.batch.pool import Outcome, PoolError, SharedPools
from fastgrade.batch.versions import versions
from fastgrade.settings import Limits, Settings
from fastgrade.verdict import Task
from tests.fastgrade.classroom import RIGHT, WRONG, counts, source_notebook
from tests.fastgrade.cluster import Cluster, finish
from tests.processes import descendants, no_process_is_left

pytestmark = pytest.mark.slow

SOURCE = nbformat.writes(source_notebook()).encode()


def task(answers, student="ada"):
    notebook = source_notebook()
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in answers:
            cell.source = answers[name]
    return Task("ps1", student, "arithmetic", SOURCE, nbformat.writes(notebook).encode(), {})


def points(outcome: Outcome):
    assert outcome.verdict is not None, outcome.reason
    return outcome.verdict.points


def sleeper(seconds, mark=""):
    """Answers that take their time."""
    slow = f"import time\ntime.sleep({seconds})\n# {mark}\n"
    return {**RIGHT, "add": slow + RIGHT["add"]}


# ---- this machine ----


def test_every_task_gets_its_own_outcome():
    with LocalPool(Settings(), workers=3) as pool:
        for number in range(12):
            pool.submit(number, task(RIGHT if number % 3 else WRONG, f"s{number}"))
        found = finish(pool, 12)
    for number, outcome in found.items():
        assert points(outcome) == (5.0 if number % 3 else 3.0)
        assert outcome.verdict.student == f"s{number}"


def test_there_is_room_for_two_tasks_a_worker():
    with LocalPool(Settings(), workers=2) as pool:
        assert pool.room() == 4
        pool.submit(1, task(RIGHT))
        assert pool.room() == 3
        finish(pool, 1)
        assert pool.room() == 4


def test_waiting_ends_in_time_when_nothing_comes():
    with LocalPool(Settings(), workers=1) as pool:
        assert pool.wait(0.01) == []


@pytest.mark.parametrize("workers", [0, -1])
def test_no_worker_is_no_pool(workers):
    with pytest.raises(ValueError, match="workers must be at least 1"):
        LocalPool(Settings(), workers)


def test_a_warm_process_that_is_killed_is_replaced():
    others = descendants(os.getpid())  # a browser, say, that later tests share
    with LocalPool(Settings(), workers=2) as pool:
        for number in range(4):
            pool.submit(number, task(sleeper(0.3, number)))
        time.sleep(0.2)
        for pid in descendants(os.getpid()) - others:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        found = finish(pool, 4)
        assert [points(found[number]) for number in range(4)] == [5.0] * 4
        pool.submit(4, task(WRONG))
        assert points(finish(pool, 1)[4]) == 3.0


def test_closing_ends_what_is_under_way():
    before, others = set(threading.enumerate()), descendants(os.getpid())
    with LocalPool(Settings(limits=Limits(cell_seconds=3600)), workers=2) as pool:
        idle = descendants(os.getpid())
        for number in range(4):
            pool.submit(number, task(sleeper(3600, number)))
        deadline = time.monotonic() + 120
        while descendants(os.getpid()) == idle and time.monotonic() < deadline:
            time.sleep(0.01)
        below = descendants(os.getpid()) - others
        assert below > idle - others, "somebody is at work"
        closing = threading.Thread(target=pool.close, daemon=True)
        closing.start()
        closing.join(300)
        assert not closing.is_alive(), "nobody waits for a cell that sleeps an hour"
    assert no_process_is_left(below)
    assert set(threading.enumerate()) <= before


def test_an_instructors_notebook_that_is_none_is_told():
    with LocalPool(Settings(), workers=1) as pool:
        pool.submit(1, Task("ps1", "ada", "arithmetic", b"no notebook", b"{}", {}))
        outcome = finish(pool, 1)[1]
    assert outcome.verdict is None
    assert "source must be a notebook" in outcome.reason


def test_a_module_that_cannot_be_preloaded_is_told():
    with (
        pytest.raises(PoolError, match="no_such_module"),
        LocalPool(Settings(preload=("no_such_module",)), workers=1),
    ):
        pass


def test_versions_name_what_grades_depend_on():
    assert {"python", "fastgrade", "engine", "nbgrader", "numpy"} <= set(versions())


# ---- a cluster ----


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("dask"))
    try:
        cluster.start_worker()
        cluster.start_worker()
        cluster.wait_for(2)
        yield cluster
    finally:
        cluster.stop()


def test_a_cluster_grades_as_this_machine_does(cluster):
    tasks = [task(RIGHT if number % 3 else WRONG, f"s{number}") for number in range(14)]
    with DaskPool(Settings(), cluster.address, cluster.certificates, chunk=3) as pool:
        assert pool.workers == 2
        for number in range(14):
            pool.submit(number, tasks[number])
        found = finish(pool, 14)
    with LocalPool(Settings(), workers=2) as pool:
        for number in range(14):
            pool.submit(number, tasks[number])
        local = finish(pool, 14)
    for number in range(14):
        here, there = local[number].verdict, found[number].verdict
        assert (here.student, here.questions, here.flags) == (
            there.student,
            there.questions,
            there.flags,
        )
        assert outputs(here) == outputs(there)


def outputs(verdict):
    return [cell.get("outputs") for cell in nbformat.reads(verdict.autograded, 4).cells]


def test_the_command_grades_a_class_on_a_cluster(cluster, classroom):
    for number in range(20):
        classroom.hand_in(f"s{number:02}", {**(RIGHT if number % 4 else WRONG), "why": str(number)})
    done = classroom.fastgrade(
        "ps1", "--scheduler", cluster.address, "--certificates", str(cluster.certificates)
    )
    assert counts(done)["graded"] == 20
    for number in range(20):
        assert classroom.score(f"s{number:02}") == (5.0 if number % 4 else 3.0)
    done = classroom.fastgrade("ps1")
    assert counts(done)["up to date"] == 20, "the key is the same everywhere"


def test_a_worker_that_is_killed_loses_nothing(cluster):
    victim = cluster.start_worker()
    cluster.wait_for(3)
    with DaskPool(Settings(), cluster.address, cluster.certificates, chunk=2) as pool:
        for number in range(18):
            pool.submit(number, task(sleeper(0.4, number), f"s{number}"))
        first = pool.wait(60)
        below = descendants(victim.pid)
        for pid in [victim.pid, *below]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        victim.wait()
        rest = finish(pool, 18 - len(first))
    assert no_process_is_left(below), "not even warm processes of a killed worker stay"
    outcomes = {outcome.number: outcome for outcome in first} | rest
    assert [points(outcomes[number]) for number in range(18)] == [5.0] * 18


def test_an_address_where_nobody_answers_is_told(classroom):
    classroom.hand_in("ada", RIGHT)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tls://127.0.0.1:{free.getsockname()[1]}"
        make(classroom.root / "certificates")
        done = classroom.fastgrade("ps1", "--scheduler", address, check=False)
    assert done.returncode == 6, done.stderr
    assert f"no Dask cluster with workers at {address}" in done.stderr
    assert "Traceback" not in done.stderr


def test_assignments_with_the_same_settings_share_a_pool():
    opened, closed = [], []

    @contextlib.contextmanager
    def make(settings):
        opened.append(settings)
        yield len(opened)
        closed.append(settings)

    usual, other = Settings(), Settings(preload=("json",))
    with SharedPools(make) as pools:
        numbers = []
        for settings in (usual, other, usual):
            with pools.get(settings) as pool:
                numbers.append(pool)
        assert numbers == [1, 2, 1]
        assert closed == []
    assert closed == [other, usual]


def test_without_dask_a_cluster_says_what_to_install(classroom):
    classroom.hand_in("ada", RIGHT)
    done = classroom.without("distributed", "ps1", "--scheduler", "tls://127.0.0.1:1")
    assert done.returncode == 6, done.stderr
    assert "pip install 'fastgrade[dask]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert classroom.without("distributed", "ps1").returncode == 0


def test_a_cluster_with_other_software_is_refused(cluster, monkeypatch):
    from fastgrade.batch import dask_pool

    engine = versions()["engine"]
    monkeypatch.setattr(dask_pool, "versions", lambda: {**versions(), "engine": "999"})
    with pytest.raises(PoolError, match=f"engine {engine} instead of 999, so grades could"):
        dask_pool.DaskPool(Settings(), cluster.address, cluster.certificates)
    # One that joins in mid-run grades nothing either.
    told = dask_pool.grade_chunk([task(RIGHT).to_json().encode()], "{}", {"engine": "1"})
    (reply,) = json.loads(told)
    assert "engine 999 instead of 1" in reply["error"]


def test_a_cluster_without_certificates_is_refused(cluster, tmp_path):
    with pytest.raises(PoolError, match="must begin with tls://"):
        DaskPool(Settings(), cluster.address.replace("tls", "tcp"), cluster.certificates)
    with pytest.raises(PoolError, match="fastgrade certificates"):
        DaskPool(Settings(), cluster.address, tmp_path)
    make(tmp_path / "others")
    with pytest.raises(PoolError, match="no Dask cluster"):
        DaskPool(Settings(), cluster.address, tmp_path / "others")


@pytest.mark.parametrize(
    "change",
    [
        {"student": "eve"},
        {"questions": []},
        {"autograded": 7},
        "points",
        "question",
        [],
    ],
)
def test_a_verdict_that_does_not_fit_its_task_is_refused(change):
    with LocalPool(Settings(), workers=1) as pool:
        pool.submit(0, task(WRONG))
        verdict = json.loads(finish(pool, 1)[0].verdict.to_json())
    assert _outcome(0, task(WRONG), verdict).verdict is not None
    if change == "points":
        verdict["questions"][0]["points"] = 100
    elif change == "question":
        verdict["questions"][0]["grade_id"] = "another"
    elif change:
        verdict |= change
    else:
        verdict = change
    outcome = _outcome(0, task(WRONG), verdict)
    assert outcome.verdict is None
    assert outcome.reason
