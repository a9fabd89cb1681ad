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
#: Tests of how an answer calls the function that it is given: any numbers may come of that.
OF_CALLS = {"test-directional-direction", "test-mc-noise"}
NUMBERS = {"int8", "first answer again"}


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
                assert test.tried, f"{test.test} takes no answer"
                right = NUMBERS if test.test in OF_CALLS else set()
                if set(test.passing) - right:
                    passing[assignment, test.test] = test.passing
    assert passing == {}
