"""Wrong answers that cost nothing to write earn nothing in this course."""

import pytest

from fastgrade.batch.audit import WRONG, audit
from fastgrade.batch.local_pool import LocalPool
from fastgrade.batch.pool import SharedPools
from fastgrade.batch.solution import examine, solution_task
from fastgrade.course.config import load_course
from tests import ROOT

pytestmark = pytest.mark.slow

#: No task forbids a function to use its arguments up, and its answers are right all the same.
KINDS = [kind for kind in WRONG if kind != "changed arguments"]


@pytest.mark.parametrize("assignment", ["02-l2", "03-l1-and-elastic-net"])
def test_no_test_lets_a_cheap_wrong_answer_pass(assignment):
    settings = load_course(ROOT).settings.for_assignment(assignment)
    tasks = [
        solution_task(assignment, path.stem, path.read_bytes(), {}, 100)
        for path in sorted((ROOT / "solutions" / assignment).glob("*.ipynb"))
    ]
    with SharedPools(LocalPool) as pools:
        examined = examine(tasks, settings, pools.open)
        assert (examined.failing, examined.beside) == ((), ())
        found = audit(tasks, settings, examined, pools.open, KINDS)
    assert found
    assert {test.test: test.passing for test in found if test.passing} == {}
