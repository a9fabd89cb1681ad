"""No hostile submission gains, reads, touches or outlives anything, nor harms who is beside it."""

import json
import os
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import nbformat
import pytest
from nbgrader import utils

from fastgrade.batch.solution import examine, solution_task
from fastgrade.settings import LEVELS
from fastgrade.verdict import Task
from tests.fastgrade.attacks.attacked import LIMITS, fingerprint
from tests.fastgrade.attacks.hostile import ANSWERS, ATTACKS, SECRETS, SOURCE, spelled, submission
from tests.fastgrade.cells import code
from tests.fastgrade.engine.compare_styles import ThisPool

pytestmark = pytest.mark.slow

#: Attacks under way at once, each with a neighbour.
PAIRS = 3
#: An honest student, who is there for a while.
NEIGHBOUR = submission(ANSWERS, {}, (code("import time\ntime.sleep(0.3)"),))


@dataclass
class Graded:
    """What has become of one attack, and of the honest submissions beside it."""

    verdicts: list = field(default_factory=list)
    neighbours: int = 0
    lost: list = field(default_factory=list)
    busy: float = 0.0
    seconds: float = 0.0


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


def what_is_known(source, grader):
    """Return what grading the solution first, as a run does, tells of the tests."""
    task = solution_task("ps1", "ps1", source, {}, 10)
    found = examine([task], grader.settings, lambda settings: ThisPool(grader))
    assert not found.failing, found.failing
    known = {"beside": found.names_beside()}
    known |= {kind: getattr(found, kind) for kind in ("scoring", "aliased", "warned", "looking")}
    return {"solution": "passes", **{kind: tests.get("ps1", ()) for kind, tests in known.items()}}


def grade_beside_neighbours(attack, known, grader, classroom):
    """Return what comes of an attack while honest submissions are graded one after the other."""
    graded, places = Graded(), (str(classroom.course), str(classroom.victim))
    over = threading.Event()

    def neighbours():
        while not graded.neighbours or not over.is_set():
            verdict = grader.grade(Task("ps1", "alice", "ps1", SOURCE, NEIGHBOUR))
            graded.neighbours += 1
            graded.lost += [question for question in verdict.questions if not question.passed]

    def hostile(student, answers):
        data = attack.submission(*places, answers=answers)
        busy = time.thread_time()
        verdict = grader.grade(Task("ps1", student, "ps1", attack.source, data, **known))
        graded.busy = max(graded.busy, time.thread_time() - busy)
        return verdict

    start = time.monotonic()
    with ThreadPoolExecutor(3) as pool:
        honest = pool.submit(neighbours)
        given = [("mallory", None)] + ([("eve", attack.accomplice)] if attack.accomplice else [])
        tasks = [pool.submit(hostile, *one) for one in given]
        try:
            graded.verdicts = [task.result() for task in tasks]
        finally:
            over.set()
        honest.result()
    graded.seconds = time.monotonic() - start
    return graded


def why_not_tried(attack, level):
    """Return why an attack is not tried at a level, if it is not."""
    if attack.needs and LEVELS.index(level) < LEVELS.index(attack.needs):
        return f"is held back from the level {attack.needs!r} on"
    if attack.kind == "forge" and LEVELS.index(level) > LEVELS.index(attack.needs or "sandbox"):
        return "lies to the judge, who is the same at each level: it is tried at the lowest"
    return ""


@pytest.fixture(scope="module")
def graded(request, grader, classroom):
    """All attacks that are asked for, some at once; what they left behind is looked at after."""
    given = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    asked = {
        one["attack"].name: one["attack"]
        for one in given
        if "attack" in one and not why_not_tried(one["attack"], grader.level)
    }
    sources = {attack.source for attack in asked.values()}
    known = {source: what_is_known(source, grader) for source in sources}
    idle, before = len(living(classroom)), fingerprint(classroom.course, classroom.victim)
    with ThreadPoolExecutor(PAIRS) as pool:
        futures = {
            name: pool.submit(
                grade_beside_neighbours, attack, known[attack.source], grader, classroom
            )
            for name, attack in asked.items()
        }
    after = fingerprint(classroom.course, classroom.victim)
    return futures, before == after, len(living(classroom)) - idle


def test_there_are_enough_of_them():
    assert len(ATTACKS) >= 160
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
    assert set(Counter(attack.kind for attack in ATTACKS)) == {"read", "forge", "harm", "stall"}


def test_honest_answers_earn_all_points(grader):
    verdict = grader.grade(Task("ps1", "alice", "ps1", SOURCE, SOURCE))
    assert verdict.points == verdict.max_points == 6
    assert points_in(verdict.autograded) == 6
    assert verdict.flags == ()


def test_nothing_is_touched_and_nothing_left(graded):
    _, is_untouched, left = graded
    assert is_untouched, "run the attacks one by one (-k) to find which it was"
    assert left == 0


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.kind}-{attack.name}")
def test_attack_achieves_nothing(attack, graded, grader):
    if reason := why_not_tried(attack, grader.level):
        pytest.skip(reason)
    result = graded[0][attack.name].result()
    for verdict in result.verdicts:
        assert verdict.points <= attack.earns, verdict.questions
        assert points_in(verdict.autograded) <= attack.earns
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
        assert len(verdict.autograded) < 20 * LIMITS.output_bytes
    assert not result.lost, "an honest neighbour loses points"
    assert result.busy < 10, "the grader itself is kept busy"
    # Far beyond the limit, for the machine may have much else to do; not for ever.
    assert result.seconds < LIMITS.total_seconds + 300
