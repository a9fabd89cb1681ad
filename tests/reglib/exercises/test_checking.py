"""The machinery under the contracts: messages, seeds, errors, notes and notebooks."""

import re
import subprocess
import sys
import textwrap
from dataclasses import replace

import matplotlib.pyplot as plt
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
from reglib.exercises._task import Aspect
from reglib.exercises.checking import (
    DEFAULT_SECRET,
    HIDDEN_ROUNDS,
    SECRET_VARIABLE,
    Assignment,
    CheckFailed,
    course_seed,
)
from reglib.textbook import shrinkage, sparsity, stopping
from tests import ROOT
from tests.reglib.exercises.contracts import CHAPTER, TASKS, assignments

each_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)


def of(name):
    return next(task for task in TASKS if task.name == name)


# Every contract


@each_task
def test_the_references_are_reglibs_own(task):
    assert task.reference.__module__.startswith(("reglib.textbook.", "reglib.gradcheck"))
    assert task.reference.__name__ == task.name


@each_task
def test_each_mistake_has_a_name_a_reason_and_a_hint(task):
    names = [mistake.name for mistake in task.mistakes]
    assert len(set(names)) == len(names)
    for mistake in (*task.mistakes, *GENERAL_MISTAKES):
        assert mistake.name
        assert mistake.why.endswith((".", "?"))
        assert mistake.hint.endswith((".", "?"))


@pytest.mark.parametrize("assignment", list(assignments()), ids=lambda it: it.chapter.page)
def test_all_checks_of_an_assignment_are_cheap(assignment):
    """Counted in calls of the student's function, which do not depend on the machine."""
    calls = 0

    def counted(function):
        def wrapper(*arguments, **named):
            nonlocal calls
            calls += 1
            return function(*arguments, **named)

        return wrapper

    for task in assignment.exercises.values():
        answer = counted(task.reference)
        for aspect in task.aspects:
            task.examine(answer, aspect.name, [0])
        task.examine(answer, None, range(HIDDEN_ROUNDS))
    assert calls < 1000


# Messages


def test_a_function_that_waits_for_another_one_is_told_so(verdict):
    def helper():
        raise NotImplementedError

    failed = verdict(of("soft_threshold"), lambda w, t: helper())
    assert list(failed.mistakes) == [NOT_WRITTEN.name]
    assert "soft_threshold calls helper, which is not written yet" in str(failed)


def test_a_message_tells_what_came_what_was_expected_and_where_to_read(verdict):
    failed = verdict(of("dropout_backward"), lambda dout, mask, keep_prob: dout * mask)
    text = str(failed)
    for part in ("What came:", "Expected:", "Looks like:", "Hint:", "Read: chapter"):
        assert part in text
    (name,) = failed.mistakes
    assert "scal" in name
    assert failed.hint == failed.mistakes[name]


def test_the_readme_shows_what_a_check_says():
    answer = lambda dout, mask, keep_prob: dout * mask  # noqa: E731
    with pytest.raises(CheckFailed) as failed:
        dropout.check(answer, "value", name="dropout_backward")
    readme = ROOT / "README.md"
    assert str(failed.value) in readme.read_text(encoding="utf-8")


def test_an_unknown_mistake_is_described_and_not_named(verdict):
    failed = verdict(of("map_lambda"), lambda noise, prior: 12.5 + noise + prior**3)
    assert failed.mistakes == {}
    assert "lambda is " in str(failed)


def test_two_mistakes_are_both_named_and_what_came_is_told_once(verdict):
    failed = verdict(
        of("l2_penalty"), lambda weights, lam, m: lam * sum((W**2).sum() for W in weights)
    )
    assert list(failed.mistakes) == ["1/2 missing", "1/m missing"]
    assert str(failed).count("What came:") == 1
    assert str(failed).count("Looks like:") == 2


def test_findings_in_several_aspects_are_numbered(verdict):
    answer = lambda w, lam, l1_ratio: lam**2 + l1_ratio + np.sum(w**4)  # noqa: E731
    text = str(verdict(of("elastic_net_penalty"), answer))
    assert "1. What came" in text
    assert "2. What came" in text


def test_html_tells_the_same_and_links_to_the_section(verdict, monkeypatch):
    monkeypatch.setenv("REGLIB_SITE", "https://example.org/course/")
    failed = verdict(of("soft_threshold"), lambda w, t: np.where(np.abs(w) > t, w, 0))
    page = failed._repr_html_()
    assert '<a href="https://example.org/course/chapters/' in page
    assert "&quot;hard threshold&quot;" in page


def test_without_a_site_a_message_links_to_the_chapter_where_it_is_beside_the_notebook(
    verdict, monkeypatch, tmp_path
):
    monkeypatch.delenv("REGLIB_SITE", raising=False)
    answer = lambda w, t: np.where(np.abs(w) > t, w, 0)  # noqa: E731
    monkeypatch.chdir(ROOT / "exercises" / "03-l1-and-elastic-net")
    failed = verdict(of("soft_threshold"), answer)
    assert 'href="../../book/chapters/' in failed._repr_html_()
    assert "(../../book/chapters/" in str(failed)
    monkeypatch.chdir(tmp_path)
    failed = verdict(of("soft_threshold"), answer)
    assert "<a " not in failed._repr_html_()
    assert str(failed).endswith('Read: chapter 3, L1 and elastic net, "The proximal step"')


@each_task
def test_there_are_two_hints_and_a_section_to_read(task):
    assert all(hint.endswith((".", "?")) for hint in task.hints)
    (chapter,) = (one.chapter for one in assignments() if task.name in one.exercises)
    text = (ROOT / "book" / "chapters" / f"{chapter.page}.md").read_text(encoding="utf-8")
    assert f"# {task.section}\n" in text


def test_a_hint_is_followed_by_a_second_and_no_third(capsys):
    wrong = lambda w, t: w * 0.3 - t  # noqa: E731
    for _ in range(3):
        l1.hint(wrong, name="soft_threshold")
    told = " ".join(capsys.readouterr().out.split())
    first, second = (" ".join(hint.split()) for hint in of("soft_threshold").hints)
    assert told.count(f"Hint 1 of 2: {first}") == 1
    assert told.count(f"Hint 2 of 2: {second}") == 2


def test_a_report_says_what_is_done_whatever_the_answers_do(capsys):
    def explode(*_):
        raise SystemExit(3)

    l1.report(sparsity.l1_penalty, explode, lambda w, grad, lr, lam: w - lr * grad)
    told = capsys.readouterr().out
    assert re.search(r"l1_penalty +right\n", told)
    assert re.search(r"soft_threshold +not right yet\n", told)
    assert re.search(r"proximal_step +step right, penalty not right yet\n", told)
    assert re.search(r"elastic_net_penalty +not defined yet\n", told)
    points = sum(a.points for task in l1.ASSIGNMENT.exercises.values() for a in task.aspects)
    assert f"Visible tests: 2 of {points:g} points" in told


def test_a_stub_is_told_what_to_do_in_html_too(verdict):
    def soft_threshold(w, t):
        raise NotImplementedError

    failed = verdict(of("soft_threshold"), soft_threshold, "shrink")
    for text in (str(failed), failed._repr_html_()):
        shown = " ".join(text.split())
        assert "not written yet, so there are no points for it so far" in shown
        assert "Then run this cell again." in shown
        assert "What came" not in shown


def test_an_aspect_that_only_a_later_draw_shows_is_not_paid(verdict):
    """What is wrong in one draw does not keep the others from being looked at."""
    drawn = []

    def seldom(w, t):
        drawn.append(w)
        return sparsity.soft_threshold(w, t) + (len(drawn) > 4)

    examination = of("soft_threshold").examination(seldom, None, range(3))
    assert set(examination.broken) == {"shrink", "zeros"}


def test_the_call_that_went_wrong_can_be_had(capsys, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    wrong = lambda w, t: np.where(np.abs(w) > t, w, 0)  # noqa: E731
    shown = l1.check(wrong, "shrink", name="soft_threshold", show=True)
    assert "hard threshold" in capsys.readouterr().out
    np.testing.assert_array_equal(shown.came, wrong(*shown.arguments.values()))
    right = sparsity.soft_threshold(*shown.arguments.values())
    np.testing.assert_allclose(shown.expected, right)
    assert l1.check(sparsity.soft_threshold, show=True) is None


def test_an_image_is_shown_whole_also_where_a_part_of_it_was_tested(capsys, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    rolled = lambda image, dy, dx: np.roll(image, (dy, dx), axis=(0, 1))  # noqa: E731
    shown = augmentation.check(rolled, "empty", name="shift", show=True)
    assert shown.came.shape == shown.expected.shape == shown.arguments["image"].shape
    assert [ax.get_title() for ax in plt.gcf().axes] == ["the input", "what came", "expected"]
    plt.close()
    # A notebook displays it under the picture.
    assert repr(shown).startswith("arguments: {'image': array(")
    assert repr(shown).count("\n") < 40


def test_of_a_class_what_was_compared_is_shown(capsys):
    class EarlyStopping(stopping.EarlyStopping):
        def update(self, loss, weights=None):
            super().update(loss, weights)
            return False

    shown = early_stopping.check(EarlyStopping, "stop", show=True)
    assert "first returns True" in capsys.readouterr().out
    assert shown.came == -1


def test_hidden_tests_pay_for_what_is_right_and_tell_no_values(capsys):
    wrong = lambda w, t: np.where(np.abs(w) > t, w, 0)  # noqa: E731
    earned = l1.hidden_points(wrong, name="soft_threshold")
    assert earned == of("soft_threshold").aspect("zeros").points
    assert list(earned.mistakes) == ["hard threshold"]
    told = capsys.readouterr().out
    assert "hard threshold" in told
    assert "What came" not in told
    with pytest.raises(CheckFailed, match="hard threshold"):
        l1.check_hidden(wrong, name="soft_threshold")
    l1.check_hidden(sparsity.soft_threshold)
    full = l1.hidden_points(sparsity.soft_threshold)
    assert full == sum(aspect.points for aspect in of("soft_threshold").aspects)


def test_an_error_of_the_check_itself_costs_nothing(capsys):
    def broken(student, rng):
        student(np.ones(2), 0.5)
        raise KeyError("ours")

    task = replace(l1.SOFT_THRESHOLD, aspects=(Aspect("shrink", "It shrinks.", broken),))
    assignment = Assignment(CHAPTER, task)
    assignment.check(sparsity.soft_threshold)
    assert "That is our fault" in capsys.readouterr().out
    assert assignment.hidden_points(sparsity.soft_threshold) == 1


def test_an_error_that_only_this_answer_causes_is_no_pass(verdict):
    def fragile(student, rng):
        if not isinstance(student(np.ones(2), 0.5), np.ndarray):
            raise KeyError("no array")
        return
        yield

    task = replace(l1.SOFT_THRESHOLD, aspects=(Aspect("shrink", "It shrinks.", fragile),))
    with pytest.raises(RuntimeWarning, match="KeyError"):  # the suite sees it, a student does not
        task.examine(lambda w, t: "text", None, [0])


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (lambda w, t: None, RETURNS_NOTHING),
        (lambda w: w, SIGNATURE),
        (lambda w, t: undefined_helper(w, t), UNDEFINED),  # noqa: F821
    ],
)
def test_slips_that_any_function_can_have_are_named(verdict, answer, mistake):
    assert list(verdict(of("soft_threshold"), answer).mistakes) == [mistake.name]


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
        l1.check(sparsity.soft_threshold, "speed")


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
    right = shrinkage.map_lambda

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
    for task in TASKS:
        assert task.examine(task.reference, None, [course_seed(task.name)])


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

    for task in TASKS:
        assert verdict(task, Proxy(task.reference)) is None
        assert verdict(task, Proxy(lambda *arguments: None)) is not None


def test_an_error_known_only_by_its_name_is_understood(verdict):
    class NotImplementedError(RuntimeError):
        pass

    def stub(*arguments):
        raise NotImplementedError("not written")

    assert list(verdict(of("soft_threshold"), stub).mistakes) == [NOT_WRITTEN.name]
