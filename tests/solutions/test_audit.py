"""Wrong answers that cost nothing to write earn nothing in this course."""

import pytest

from fastgrade.batch.audit import WRONG, audit
from fastgrade.batch.local_pool import LocalPool
from fastgrade.batch.pool import SharedPools
from fastgrade.batch.solution import examine, solution_task
from fastgrade.course.config import load_course
from tests import ROOT

pytestmark = pytest.mark.slow

ASSIGNMENTS = sorted(path.name for path in (ROOT / "solutions").iterdir() if path.is_dir())
#: No task forbids a function to use its arguments up, and its answers are right all the same.
KINDS = [kind for kind in WRONG if kind != "changed arguments"]
#: What passes for a reason: any numbers may come of an answer whose calls are looked at, None is
#: right for a training that never stops, and the places of cutouts are looked at in one answer.
RIGHT = {
    "test-directional-direction": {"int8", "first answer again"},
    "test-mc-noise": {"int8", "first answer again"},
    "test-epoch-never": {"None", "first answer again"},
    "test-cutout-places": {"first answer again"},
}


def test_no_test_lets_a_cheap_wrong_answer_pass():
    settings = load_course(ROOT).settings
    passing = {}
    with SharedPools(LocalPool) as pools:
        for assignment in ASSIGNMENTS:
            own = settings.for_assignment(assignment)
            tasks = [
                solution_task(assignment, path.stem, path.read_bytes(), {}, 100)
                for path in sorted((ROOT / "solutions" / assignment).glob("*.ipynb"))
            ]
            examined = examine(tasks, own, pools.open)
            assert (examined.failing, examined.beside) == ((), ())
            for test in audit(tasks, own, examined, pools.open, KINDS):
                if set(test.passing) - RIGHT.get(test.test, set()):
                    passing[assignment, test.test] = test.passing
    assert passing == {}
