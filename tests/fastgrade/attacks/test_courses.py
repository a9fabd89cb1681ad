"""What answers can make of an instructor's notebook that leans on them more than the others do."""

import pytest

from fastgrade.verdict import Task
from tests.fastgrade.cells import code, notebook

pytestmark = pytest.mark.slow

ARRAYS = "import numpy as np\n"


def cells(answers, tests, setups):
    """Return a notebook: an answer, its test and what the instructor makes of both, in turns."""
    made = []
    for number, (answer, test) in enumerate(zip(answers, tests, strict=True)):
        made.append(code(answer, f"answer-{number}", solution=True))
        made.append(code(test, f"test-{number}", grade=True, locked=True, points=2))
        if number < len(setups):
            made.append(code(setups[number], f"setup-{number}", locked=True))
    return notebook(*made)


def points(grader, tests, setups, right, given):
    """Return the points for each question, after making sure that right answers earn all."""
    source = cells(right, tests, setups)
    honest = grader.grade(Task("ps1", "alice", "ps1", source, source))
    assert honest.points == honest.max_points, honest.questions
    verdict = grader.grade(Task("ps1", "mallory", "ps1", source, cells(given, tests, setups)))
    return [question.points for question in verdict.questions]


@pytest.mark.parametrize(
    ("first", "earned"),
    [
        ("def f(x):\n    return 5", [0, 0, 2]),  # the test ends before it binds what is needed
        ("def f(x):\n    return {2: 4}.get(x, 'no')", [2, 0, 2]),  # what it binds is of no use
        ("def f(x):\n    import os\n    os._exit(0)", [0, 0, 2]),
        ("import os\nos._exit(0)", [0, 0, 2]),
        ("def f(x):\n    while True:\n        pass", [0, 0, 2]),
    ],
)
def test_a_setup_cell_that_a_wrong_answer_makes_fail_does_not_hold_up_its_grade(
    grader, first, earned
):
    tests = ["a = f(2)\nassert a == 4\nb = f(3)", "assert g(c) == d", "assert h(1) == 1"]
    setups = ["c = b + 1\nd = c"]
    right = ["def f(x):\n    return 2 * x", "def g(x):\n    return x", "def h(x):\n    return x"]
    assert points(grader, tests, setups, right, [first, *right[1:]]) == earned


def test_results_that_a_test_adds_to_the_courses_own_do_not_make_its_setup_cells_fail(grader):
    tests = ["assert x == 1", "kept += f()\nassert kept", "assert top"]
    setups = ["kept = [1]", "top = max(kept) + 1"]
    right = ["x = 1", "def f():\n    return [2]", "y = 1"]
    given = ["x = 1", "def f():\n    return ['no']", "y = 1"]
    assert points(grader, tests, setups, right, given) == [2, 2, 2]


@pytest.mark.parametrize("where", ["want", "made"])
def test_what_a_failed_test_was_to_bind_is_not_taken_from_the_answer(grader, where):
    tests = ["assert f(2) == 4\nwant = 9", f"assert g(3) == {where}"]
    setups = ["made = want"]
    right = ["def f(x):\n    return 2 * x", "def g(x):\n    return x**2"]
    given = ["want = made = 7\ndef f(x):\n    return 0", "def g(x):\n    return 7"]
    assert points(grader, tests, setups, right, given) == [0, 0]


@pytest.mark.parametrize("last", ["2 - abs(got - 3)", "credit = 2 - abs(got - 3)\ncredit"])
@pytest.mark.parametrize(
    ("result", "earned"),
    [
        ("np.zeros(2)", 0),
        ("np.array([])", 0),
        ("np.zeros((1, 0))", 0),
        ("2**4000", 0),
        ("-(2**4000)", 0),
        ("np.array([2.5])", 1.5),  # near, and in brackets
        ("np.array(['x'])", 0),
    ],
)
def test_partial_credit_is_a_number_whatever_an_answer_returns(grader, last, result, earned):
    test, right = f"got = f()\n{last}", "def f():\n    return 3"
    given = ARRAYS + f"def f():\n    return {result}"
    assert points(grader, [test], [], [right], [given]) == [earned]


def test_an_array_that_a_test_merely_shows_costs_nothing(grader):
    right = ARRAYS + "def f():\n    return np.ones(2)"
    for shown in ("f()", "np.eye(2) @ f()", "x = f()\nx"):
        assert points(grader, [shown], [], [right], [right]) == [2]
