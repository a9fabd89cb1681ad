"""The machinery under the contracts: messages, seeds, errors, notes and notebooks."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from reglib.exercises import augmentation, dropout, early_stopping, l1, l2
from reglib.exercises._findings import (
    GENERAL_MISTAKES,
    NOT_WRITTEN,
    RETURNS_NOTHING,
    SIGNATURE,
    UNDEFINED,
)
from reglib.exercises._student_function import Student
from reglib.exercises.checking import DEFAULT_SECRET, SECRET_VARIABLE, CheckFailed, course_seed
from tests import ROOT

MODULES = (l2, l1, dropout, early_stopping, augmentation)
EXERCISES = [exercise for module in MODULES for exercise in module.ASSIGNMENT.exercises.values()]


def of(name):
    return next(exercise for exercise in EXERCISES if exercise.name == name)


# Every contract


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_the_references_are_reglibs_own(exercise):
    assert exercise.reference.__module__.startswith("reglib.textbook.")
    assert exercise.reference.__name__ == exercise.name


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_each_mistake_has_a_name_a_reason_and_a_hint(exercise):
    names = [mistake.name for mistake in exercise.mistakes]
    assert len(set(names)) == len(names)
    for mistake in (*exercise.mistakes, *GENERAL_MISTAKES):
        assert mistake.name
        assert mistake.why.endswith((".", "?"))
        assert mistake.hint.endswith((".", "?"))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_all_checks_of_an_assignment_are_cheap(module):
    """Counted in calls of the student's function, which do not depend on the machine."""
    calls = 0

    def counted(function):
        def wrapper(*arguments, **named):
            nonlocal calls
            calls += 1
            return function(*arguments, **named)

        return wrapper

    for exercise in module.ASSIGNMENT.exercises.values():
        answer = counted(exercise.reference)
        for aspect in exercise.aspects:
            exercise.examine(answer, aspect.name, [0])
        exercise.examine(answer, None, range(3))
    assert calls < 1000


# Messages


def test_a_function_that_waits_for_another_one_is_told_so(verdict):
    def helper():
        raise NotImplementedError

    failed = verdict(of("soft_threshold"), lambda w, t: helper())
    assert failed.mistakes == (NOT_WRITTEN.name,)
    assert "soft_threshold calls helper, which is not written yet" in str(failed)


def test_a_message_tells_what_came_what_was_expected_and_where_to_read(verdict):
    failed = verdict(of("dropout_backward"), lambda dout, mask, keep_prob: dout * mask)
    text = str(failed)
    for part in ("What came:", "Expected:", "Looks like:", "Hint:", "Read: chapter 5, Dropout"):
        assert part in text
    assert failed.mistake == dropout.NO_SCALE_BACK.name
    assert failed.hint == dropout.NO_SCALE_BACK.hint


def test_the_readme_shows_what_a_check_says(verdict):
    answer = lambda dout, mask, keep_prob: dout * mask  # noqa: E731
    failed = verdict(of("dropout_backward"), answer, "value", seeds=[0])
    readme = ROOT / "README.md"
    assert str(failed) in readme.read_text(encoding="utf-8")


def test_an_unknown_mistake_is_described_and_not_named(verdict):
    failed = verdict(of("l2_penalty"), lambda weights, lam, m: 12.5)
    assert failed.mistake is None
    assert failed.mistakes == ()
    assert "the penalty is 12.5" in str(failed)


def test_several_findings_are_numbered(verdict):
    failed = verdict(
        of("l2_penalty"), lambda weights, lam, m: lam * sum((W**2).sum() for W in weights)
    )
    assert failed.mistakes == ("1/2 missing", "1/m missing")
    assert "1. What came" in str(failed)
    assert "2. What came" in str(failed)


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (lambda w, t: None, RETURNS_NOTHING),
        (lambda w: w, SIGNATURE),
        (lambda w, t: undefined_helper(w, t), UNDEFINED),  # noqa: F821
    ],
)
def test_slips_that_any_function_can_have_are_named(verdict, answer, mistake):
    assert verdict(of("soft_threshold"), answer).mistake == mistake.name


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        (lambda w, t: w.reshape(-1)[:1], "has shape (1,)"),
        (lambda w, t: "zero", "is a text"),
        (lambda w, t: w * np.nan, "NaN"),
        (lambda w, t: w / (t - t), "NaN or infinity"),
        (lambda w, t: {}["w"], "KeyError"),
        (lambda w, t: sys.exit(0), "SystemExit"),
        (lambda w, t: w.shrink(t), "AttributeError"),
    ],
)
def test_unusable_results_are_told_in_plain_words(verdict, answer, part):
    with np.errstate(all="ignore"):
        assert part in str(verdict(of("soft_threshold"), answer))


def test_the_line_of_an_error_is_shown(verdict):
    def soft_threshold(w, t):
        return w - t * np.sing(w)

    failed = verdict(of("soft_threshold"), soft_threshold)
    assert "return w - t * np.sing(w)" in str(failed)


def test_warnings_and_words_on_stderr_cost_nothing(capsys):
    import warnings

    def soft_threshold(w, t):
        warnings.warn("careful", stacklevel=1)
        print("thinking", file=sys.stderr)
        np.log(np.zeros(1))
        return np.sign(w) * np.maximum(np.abs(w) - t, 0)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        l1.check(soft_threshold)
    assert capsys.readouterr().err == ""


def test_arguments_are_copies(verdict):
    def soft_threshold(w, t):
        out = np.sign(w) * np.maximum(np.abs(w) - t, 0)
        w[...] = 99
        return out

    assert verdict(of("soft_threshold"), soft_threshold) is None
    student = of("soft_threshold").examine(soft_threshold, None, [0])
    assert "changes an array" in student.notes[0]


def test_a_student_sees_copies_of_nested_arrays():
    weights = [np.ones(2)]
    student = Student(lambda weights: weights[0].fill(7), "f", "f(weights)")
    student(weights)
    assert weights[0].tolist() == [1, 1]
    assert student.notes


# check and check_hidden


def test_check_finds_the_exercise_by_the_name_in_the_cell(capsys):
    cell = {"check": l1.check, "soft_threshold": lambda w, t: w - np.clip(w, -t, t), "np": np}
    exec("check(soft_threshold)", cell)
    assert capsys.readouterr().out == "soft_threshold: right.\n"


def test_check_says_which_names_it_knows():
    with pytest.raises(ValueError, match="name must be one of l1_penalty, soft_threshold"):
        l1.check(lambda w, t: w)
    with pytest.raises(ValueError, match="aspect must be one of shrink, zeros, got 'speed'"):
        l1.check(l1.reference.soft_threshold, "speed")


def test_hidden_seeds_follow_from_the_secret_and_repeat(monkeypatch):
    monkeypatch.setenv(SECRET_VARIABLE, "one")
    first = [course_seed("l2_penalty", i) for i in range(3)]
    assert first == [course_seed("l2_penalty", i) for i in range(3)]
    assert len(set(first)) == 3
    assert course_seed("l1_penalty") != first[0]
    monkeypatch.setenv(SECRET_VARIABLE, "two")
    assert course_seed("l2_penalty") != first[0]
    monkeypatch.delenv(SECRET_VARIABLE)
    without = course_seed("l2_penalty")
    monkeypatch.setenv(SECRET_VARIABLE, DEFAULT_SECRET)
    assert course_seed("l2_penalty") == without


def test_a_function_tuned_to_the_visible_inputs_fails_the_hidden_ones(monkeypatch):
    monkeypatch.setenv(SECRET_VARIABLE, "known to the instructor")
    seen = {}
    right = l2.reference.map_lambda

    def remember(noise_variance, prior_variance):
        seen[noise_variance] = right(noise_variance, prior_variance)
        return seen[noise_variance]

    l2.check(remember, name="map_lambda")
    tuned = lambda noise_variance, prior_variance: seen.get(noise_variance, 0.0)  # noqa: E731
    l2.check(tuned, name="map_lambda")
    with pytest.raises(CheckFailed, match="not right yet on further inputs of the same kind"):
        l2.check_hidden(tuned, name="map_lambda")


def test_hidden_tests_ask_for_nothing_that_visible_ones_do_not():
    """Both run the same aspects; only seeds and their number differ."""
    for exercise in EXERCISES:
        assert exercise.examine(exercise.reference, None, [course_seed(exercise.name)])


# In a notebook


def test_a_notebook_shows_the_message_without_a_way_through_our_modules():
    script = """
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        shell.run_cell("import numpy as np\\nfrom reglib.exercises.dropout import check")
        shell.run_cell("def dropout_backward(dout, mask, keep_prob):\\n    return dout * mask")
        shell.run_cell("check(dropout_backward)")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    )
    shown = done.stdout + done.stderr
    assert "scaling forgotten on the way back" in shown
    assert "Traceback" not in shown
    assert "checking.py" not in shown
    assert shown.count("\n") < 15


def test_a_failure_carries_no_earlier_error(verdict):
    def soft_threshold(w, t):
        raise ZeroDivisionError("mine")

    failed = verdict(of("soft_threshold"), soft_threshold)
    assert failed.__cause__ is None
    assert failed.__suppress_context__


def test_a_proxy_for_a_function_elsewhere_is_enough(verdict):
    """A callable without name, code or closure passes; its results are plain data."""

    class Proxy:
        __slots__ = ("_call",)

        def __init__(self, call):
            self._call = call

        def __call__(self, *arguments):
            return self._call(*arguments)

    for exercise in EXERCISES:
        assert verdict(exercise, Proxy(exercise.reference)) is None
        assert verdict(exercise, Proxy(lambda *arguments: None)) is not None


def test_an_error_known_only_by_its_name_is_understood(verdict):
    class NotImplementedError(RuntimeError):
        pass

    def stub(*arguments):
        raise NotImplementedError("not written")

    assert verdict(of("soft_threshold"), stub).mistakes == (NOT_WRITTEN.name,)
