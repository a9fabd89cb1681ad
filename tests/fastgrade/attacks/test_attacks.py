"""No hostile submission gains a point, reads a secret, touches another's things or outlives it."""

import json
import os
import time
from collections import Counter

import nbformat
import pytest
from nbgrader import utils

from fastgrade.verdict import Task
from tests.fastgrade.attacks.attacked import LIMITS, fingerprint
from tests.fastgrade.attacks.hostile import ATTACKS, SECRETS, SOURCE, spelled

pytestmark = pytest.mark.slow


def task(classroom, submission, student="mallory"):
    return Task("ps1", student, "ps1", SOURCE, submission)


def points_in(notebook):
    """Return the points that nbgrader reads from the outputs of an autograded notebook."""
    cells = nbformat.reads(notebook.decode(), as_version=4).cells
    return sum(utils.determine_grade(cell)[0] for cell in cells if utils.is_grade(cell))


def living(classroom):
    """Return the processes of this machine that were forked for this course.

    Forks have the command line of their warm process, which names the course's folder.
    """
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    if str(classroom.course).encode() in file.read():
                        found.append(int(entry))
            except OSError:
                continue
    return found


@pytest.fixture(scope="module", autouse=True)
def idle(grader, classroom):
    """How many processes there are when nothing is being graded."""
    return len(living(classroom))


def test_there_are_enough_of_them():
    assert len(ATTACKS) >= 60
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
    assert set(Counter(attack.kind for attack in ATTACKS)) == {"read", "forge", "harm", "stall"}


def test_honest_answers_earn_all_points(grader, classroom):
    verdict = grader.grade(task(classroom, SOURCE))
    assert verdict.points == verdict.max_points == 6
    assert points_in(verdict.autograded) == 6
    assert verdict.flags == ()


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.kind}-{attack.name}")
def test_attack_achieves_nothing(attack, grader, classroom, idle):
    before = fingerprint(classroom.course, classroom.victim)
    submission = attack.submission(str(classroom.course), str(classroom.victim))
    start, started = time.process_time(), time.monotonic()
    verdict = grader.grade(task(classroom, submission))
    busy, seconds = time.process_time() - start, time.monotonic() - started

    assert verdict.points <= attack.honest, verdict.questions
    assert points_in(verdict.autograded) <= attack.honest
    told = verdict.to_json() + verdict.autograded.decode()
    for name, secret in SECRETS.items():
        assert secret not in told, f"it read the secret of the {name}"
    assert spelled(SECRETS["input"]) not in told, "it spelled the secret of the input"
    outputs = "".join(
        "".join(output.get("text", ""))
        for cell in json.loads(verdict.autograded)["cells"]
        for output in cell.get("outputs", ())
    )
    for word in ("REACHED", "PLANTED", "RAISED", "LOWERED"):
        assert word not in outputs
    assert fingerprint(classroom.course, classroom.victim) == before
    assert busy < 30, "the grader itself is kept busy"
    # Far beyond the limit, for the machine may have much else to do; not for ever.
    assert seconds < LIMITS.total_seconds + 300
    assert len(living(classroom)) == idle, "a process is left"
    assert len(verdict.autograded) < 20 * LIMITS.output_bytes
    assert grader.grade(task(classroom, SOURCE, "alice")).points == 6, "the next one suffers"
