"""Courses that write their tests in another style than ours are graded as a kernel grades them."""

import pytest

from fastgrade.batch.solution import examine, solution_task
from fastgrade.engine.grader import Grader
from fastgrade.settings import Settings
from fastgrade.verdict import Task
from tests.fastgrade.cells import code, notebook
from tests.fastgrade.engine.compare_styles import ThisPool, compare
from tests.fastgrade.engine.styles import STYLES

pytestmark = pytest.mark.slow

#: One of each kind; `python -m tests.fastgrade.engine.compare_styles` has all of them.
CHOSEN = (
    *("unittest case", "helper of an earlier test", "loop variable of an earlier test"),
    *("setup prints the answer after it", "setup raises on purpose", "partial credit as a float"),
    *("cell magic in a test", "a module of its own", "printed output", "input mocked", "await"),
    *("file written by the answer", "module written by the answer", "seed in the test"),
    *("copy of an argument", "argument in place or not, with the same result"),
    *("default that changes", "argument that is kept", "inside of an object"),
    *("nothing may be printed", "no overflow", "function that may not be used"),
    *("views of one array", "name that must be gone", "dataclass"),
    *("class with equality", "iterator", "Counter", "data frame", "estimator"),
    *("answer that hides a builtin", "answer that hides what a helper of the test calls"),
    *("answer that changes an array of the setup", "call that changes data of the setup"),
    *("data of the setup that a helper reads", "everything of a module imported"),
    *("modules that are loaded", "number of NumPy as points, from a test beside the answer"),
)


@pytest.fixture(scope="module")
def graders():
    """A grader for each test's place, and one that grades as a kernel does."""
    with Grader(Settings()) as grader, Grader(Settings(mode="kernel")) as kernel:
        yield grader, kernel


def test_every_style_is_graded_as_a_kernel_grades_it(graders):
    styles = [style for style in STYLES if style.name in CHOSEN]
    assert len(styles) == len(CHOSEN)
    results = {style.name: compare(style, *graders) for style in styles}
    assert {name: note for name, (status, note) in results.items() if status != "equal"} == {}


@pytest.fixture
def judged(graders):
    """Grade an answer by an instructor's notebook, whose solution is looked at first."""
    grader, _ = graders

    def grade(solution, given, *tests):
        source, handed_in = (
            notebook(
                code(f"### BEGIN SOLUTION\n{text}\n### END SOLUTION", "answer", solution=True),
                *(
                    code(test, f"test-{number}", grade=True, locked=True, points=2)
                    for number, test in enumerate(tests, 1)
                ),
            )
            for text in (solution, given)
        )
        task = solution_task("ps", "n", source, {}, 1)
        found = examine([task], grader.settings, lambda settings: ThisPool(grader))
        assert not found.failing
        known = (found.scoring, found.aliased, found.warned, found.looking)
        names = [tests.get("n", ()) for tests in (found.names_beside(), *known)]
        return grader.grade(Task("ps", "ada", "n", source, handed_in, {}, (), "passes", *names))

    return grade


AGREEABLE = """
class Agreeable:
    def __eq__(self, other): return True
def f(x): return Agreeable()
"""


def test_an_object_that_equals_everything_earns_nothing_before_a_person_has_looked(judged):
    verdict = judged(
        "def f(x): return x + 1", AGREEABLE, "assert f(1) == 2", "assert f(2) == 4 - 1"
    )
    assert [(q.points, q.passed) for q in verdict.questions] == [(0, None), (0, None)]
    assert any("a person has to grade it" in flag for flag in verdict.flags)


def test_an_object_that_no_hidden_test_can_look_at_earns_nothing_and_is_not_shown_the_test(judged):
    hidden = "### BEGIN HIDDEN TESTS\nassert f(41) == 42\n### END HIDDEN TESTS"
    verdict = judged("def f(x): return x + 1", AGREEABLE, hidden)
    (question,) = verdict.questions
    assert (question.points, question.passed) == (0, False)
    assert "return plain data" in question.message
    assert any("could not look at what it got" in flag for flag in verdict.flags)


READING = """
def f(x): return n * 2
"""


@pytest.mark.parametrize(
    "test",
    ["n = 4\nassert f(n) == 8", "n = 4\ntry:\n    r = f(n)\nexcept NameError:\n    r = 0\nr / 4"],
)
def test_an_answer_that_reads_a_name_of_the_test_earns_nothing_before_a_person_has_looked(
    judged, test
):
    (question,) = judged("def f(x): return x * 2", READING, test).questions
    assert (question.points, question.passed) == (0, None)


def test_an_answer_that_reads_a_name_of_a_hidden_test_fails_and_the_instructor_is_told(judged):
    hidden = "### BEGIN HIDDEN TESTS\nn = 4\nassert f(n) == 8\n### END HIDDEN TESTS"
    verdict = judged("def f(x): return x * 2", READING, hidden)
    assert (verdict.points, verdict.questions[0].passed) == (0, False)
    assert any("the answer reads n, which a test binds" in flag for flag in verdict.flags)


def test_an_answer_that_reads_what_a_test_binds_to_the_same_is_not_run_beside_it(judged):
    right, wrong = (f"import math\ndef f(x): return math.{name}(x)" for name in ("floor", "ceil"))
    (question,) = judged(right, wrong, "import math\nassert f(1.5) == math.floor(1.5)").questions
    assert question.message == "the assertion in line 2 of the test failed"


def test_an_answer_that_changes_what_hidden_tests_read_is_flagged_and_not_shown_the_test(judged):
    hidden = "### BEGIN HIDDEN TESTS\nassert sum([f(1)]) == 2\n### END HIDDEN TESTS"
    solution = "def f(x): return x + 1"
    verdict = judged(solution, solution + "\nsum = 3", hidden)
    assert verdict.points == 2
    assert any("the answer has changed" in flag for flag in verdict.flags)


@pytest.mark.parametrize(
    "value",
    ["'2'", "np.array([2.0])", "[2]", "None", "float('nan')", "2 + 0j", "True", "(lambda: 2)"],
)
def test_points_are_numbers_where_they_are_for_the_solution(judged, value):
    solution = "def f(): return 2"
    verdict = judged(solution, f"import numpy as np\ndef f(): return {value}", "f()")
    assert (verdict.points, verdict.questions[0].passed) == (0, False)
    assert "no number of points" in verdict.questions[0].message
    assert judged(solution, "def f(): return 1.5", "f()").points == 1.5


def test_a_number_of_numpy_counts_as_it_is_and_the_instructor_is_told(judged):
    right, wrong = (f"import numpy as np\ndef f(): return np.float64({n})" for n in (2, 0.5))
    verdict = judged(right, wrong, "f()")
    assert (verdict.points, judged(right, right, "f()").flags) == (0.5, ())
    assert any("a number of NumPy" in flag for flag in verdict.flags)


def test_a_test_that_errs_for_an_answer_and_not_for_the_solution_is_that_answers_zero(judged):
    solution = "def f(): return 'x.txt'"
    test = "path = f()\nassert path == 'x.txt' or open(path)"
    verdict = judged(solution, "def f(): return '/etc/shadow'", test)
    assert verdict.points == 0
    assert judged(solution, solution, test).points == 2


@pytest.mark.parametrize(("test", "is_there"), [("open('mine.txt')", True), ("open(name)", False)])
def test_a_file_that_was_handed_in_is_in_the_judge_only_if_a_test_names_it(graders, test, is_there):
    grader, _ = graders
    source = notebook(
        code("name = 'mine' + '.txt'", "setup", locked=True),
        code("pass", "answer", solution=True),
        code(test, "test", grade=True, locked=True, points=1),
    )
    task = Task("ps", "ada", "n", source, source, {"mine.txt": b"x"})
    assert grader.grade(task).points == is_there


WHERE = {
    "judge": ("def f(x): return x + 1", "def f(x): return x"),
    "beside": (
        "class A:\n    def __eq__(self, other): return True\ndef f(x): return A()",
        "def f(x): return x",
    ),
}
WRITTEN = "a message as it is written"
ASSERTIONS = {"judge": "f(8731) == 8732", "beside": "f(8731) == B"}


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("message", [f"'{WRITTEN}'", "f'got {f(8731)}'"], ids=["words", "values"])
def test_feedback_on_hidden_tests_holds_no_values(judged, where, message):
    test = f"assert {ASSERTIONS[where]}, {message}"
    hidden = f"B = 8732\n### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS"
    verdict = judged(*WHERE[where], hidden)
    (question,) = verdict.questions
    assert question.points == 0
    assert b"8731" not in verdict.autograded
    assert "8731" not in question.message
    if where == "judge":
        assert (question.message == WRITTEN) == (WRITTEN in message)
