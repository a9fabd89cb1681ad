"""Wrong answers that a test lets pass are found before students find them."""

import pytest

from fastgrade.batch.audit import WRONG, audit
from fastgrade.batch.solution import examine, solution_task
from fastgrade.engine.grader import Grader
from fastgrade.settings import Settings
from tests.fastgrade.cells import code, notebook
from tests.fastgrade.engine.compare_styles import ThisPool

pytestmark = pytest.mark.slow

SOLUTION = """### BEGIN SOLUTION
import numpy as np
def f(x): return np.asarray(x) * 2.5
value = 7.5
### END SOLUTION"""
TESTS = {
    "careful": "x = np.ones(2)\n"
    "assert f(x).shape == (2,) and (f(x) == 2.5).all() and (x == 1).all()\n"
    "assert (f(2 * x) == 5).all()",
    "weak": "assert np.all(f(np.ones(1)) == 2.5)",
    "value": "assert value == 7.5",
    "nothing": "assert True",
}


def test_wrong_answers_that_pass_are_named_and_none_that_is_refused():
    cells = [code(test, name, grade=True, locked=True, points=1) for name, test in TESTS.items()]
    source = notebook(code(SOLUTION, "answer", solution=True), *cells)
    task = solution_task("ps", "n", source, {}, 1)
    with Grader(Settings()) as grader:
        examined = examine([task], grader.settings, lambda settings: ThisPool(grader))
        found = audit([task], grader.settings, examined, lambda settings: ThisPool(grader))
    passing = {test.test: test.passing for test in found}
    assert passing["careful"] == ()
    assert {"empty array", "changed arguments", "first answer again"} <= set(passing["weak"])
    assert not {"NaN", "int8"} & set(passing["weak"])
    # A value takes no arguments and has no answer before it.
    assert passing["value"] == ()
    assert [test.test for test in found if not test.tried] == ["nothing"]
    assert len(WRONG) == 8
