"""What somebody does who writes such a function for the first time, and what they read then.

Each contract's own file tries the mistakes of its chapter. Here are the slips of the language and
of NumPy, results of the wrong kind or shape, and the faults in dropout that no seed may hide.
"""

import numpy as np
import pytest

from reglib.exercises import _findings as general
from reglib.exercises import _python_errors as slips
from reglib.exercises._comparison import differ
from reglib.exercises._student_function import BrokenCall, Student
from reglib.textbook import dropout as reference
from reglib.textbook import images, shrinkage, sparsity, stopping
from tests.reglib.exercises.contracts import TASKS

TASK = {task.name: task for task in TASKS}


class NoInit:
    def update(self, loss, weights):
        return False


# Slips that Python reports in its own words

SLIPS = [
    ("ridge_closed_form", lambda X, y, lam: X @ X.T @ y.T @ X.T, slips.SHAPES),
    ("ridge_closed_form", lambda X, y, lam: X.T * X, slips.SHAPES),
    ("ridge_closed_form", lambda X, y, lam: np.dot(X, X), slips.SHAPES),
    ("ridge_closed_form", lambda X, y, lam: np.linalg.inv(np.zeros((3, 3))), slips.SINGULAR),
    ("shift", lambda image, dy, dx: image.reshape(3, 3), slips.SHAPES),
    ("l1_penalty", lambda weights, lam, m: np.sum(np.abs(weights)), slips.RAGGED),
    ("soft_threshold", lambda w, t: 0 if abs(w) <= t else w, slips.IF_ON_ARRAY),
    ("soft_threshold", lambda w, t: max(np.abs(w) - t, 0), slips.IF_ON_ARRAY),
    ("l2_penalty", lambda weights, lam, m: sum(W ^ 2 for W in weights), slips.POWER),
    ("map_lambda", lambda noise, prior: noise ^ prior, slips.POWER),
    ("l2_penalty", lambda weights, lam, m: weights["W1"], slips.INDEXED_BY_NAME),
    ("l2_penalty", lambda weights, lam, m: weights[weights[0]], slips.ARRAY_FOR_INTEGER),
    (
        "compute_cost_with_regularization",
        lambda A3, Y, parameters, lambd: parameters.W1,
        slips.ATTRIBUTE_OF_DICT,
    ),
    (
        "compute_cost_with_regularization",
        lambda A3, Y, parameters, lambd: parameters["W0"],
        slips.NO_KEY,
    ),
    ("stop_epoch", lambda losses, patience, min_delta: losses[len(losses)], slips.OUT_OF_RANGE),
    ("zoom", lambda image, factor: image[99, 99], slips.OUT_OF_RANGE),
    ("zoom", lambda image, factor: image[image], slips.FLOAT_INDEX),
    ("zoom", lambda image, factor: image[: image.shape[0] / 2], slips.FLOAT_INDEX),
    ("stop_epoch", lambda losses, patience, min_delta: losses[0.5], slips.FLOAT_INDEX),
    ("shift", lambda image, dy, dx: [h for h, w, c in [image.shape]], slips.OTHER_COUNT),
    ("stop_epoch", lambda losses, patience, min_delta: losses[0] < None, slips.NONE_IN_CALCULATION),
    (
        "generalization_gap",
        lambda train_loss, val_loss: val_loss - train_loss,
        slips.LISTS_IN_CALCULATION,
    ),
    ("dropout_forward", lambda a, p, rng, training=True: rng.rand(3), slips.GENERATOR_METHOD),
    ("dropout_forward", lambda a, p, rng, training=True: rng(3), slips.GENERATOR_CALLED),
    ("random_crop", lambda image, h, w, rng: rng.integers(0), slips.NOTHING_TO_DRAW),
    ("map_lambda", lambda noise, prior: noise / 0, slips.BY_ZERO),
    ("EarlyStopping", NoInit, slips.NO_INIT),
]


@pytest.mark.parametrize(("name", "answer", "slip"), SLIPS)
def test_a_slip_is_told_in_words(accused, name, answer, slip):
    for aspect in TASK[name].aspects:
        assert slip.name in accused(TASK[name], answer, aspect.name)


def test_every_slip_is_tried():
    assert {slip for *_, slip in SLIPS} == set(slips.SLIPS)


def test_a_message_about_a_helper_of_ours_does_not_show_where_it_stands(verdict):
    answer = lambda f, x, n, rng: f(x)  # noqa: E731
    text = " ".join(str(verdict(TASK["mc_dropout_predict"], answer)).split())
    assert "f() missing 1 required positional argument: 'rng'" in text
    assert "locals" not in text


# Results of another kind or shape


def ridge(make):
    return "ridge_closed_form", lambda X, y, lam: make(shrinkage.ridge_closed_form(X, y, lam))


KINDS = [
    (*ridge(lambda w: (w, 1.0)), general.MORE_VALUES, "w is a tuple of 2"),
    (*ridge(lambda w: (w, w)), general.MORE_VALUES, "w is a tuple of 2"),
    (*ridge(lambda w: w[:, None]), general.LOST_AXIS, "w has shape (3, 1)"),
    (*ridge(lambda w: w.sum()), general.ADDED_UP, "w has shape ()"),
    (*ridge(lambda w: w.astype(int)), general.WHOLE_NUMBERS, "entries of w differ"),
    (*ridge(str), general.NO_NUMBERS, "w is a text"),
    (*ridge(lambda w: w + 0j), general.NO_NUMBERS, "w is an array"),
    (
        "map_lambda",
        lambda noise, prior: str(noise / prior),
        general.NO_NUMBERS,
        "lambda is a text",
    ),
    (
        "l1_penalty",
        lambda weights, lam, m: [lam / m * np.abs(W).sum() for W in weights],
        general.NOT_ADDED_UP,
        "the penalty has shape (3,)",
    ),
    (
        "elastic_net_penalty",
        lambda w, lam, l1_ratio: int(sparsity.elastic_net_penalty(w, lam, l1_ratio)),
        general.WHOLE_NUMBERS,
        "the penalty is",
    ),
    (
        "dropout_backward",
        lambda dout, mask, p: (dout * mask / p).T[:, :],
        general.TRANSPOSED_RESULT,
        "has shape (",
    ),
    (
        "random_crop",
        lambda image, h, w, rng: (images.random_crop(image, h, w, rng), (0, 0)),
        general.MORE_VALUES,
        "the crop is a tuple of 2",
    ),
]


@pytest.mark.parametrize(("name", "answer", "mistake", "part"), KINDS)
def test_a_result_of_another_kind_is_named_and_told(verdict, name, answer, mistake, part):
    failed = verdict(TASK[name], answer)
    assert mistake.name in failed.mistakes
    assert part in " ".join(str(failed).split())


def test_a_row_too_much_or_too_little_is_no_lost_axis(verdict):
    answer = lambda X, y, lam: np.zeros(X.shape[1] + 1)  # noqa: E731
    assert verdict(TASK["ridge_closed_form"], answer).mistakes == {}


@pytest.mark.parametrize("answer", [True, False, np.True_, np.False_, 1, 0, 1.0, np.array([True])])
def test_an_answer_may_be_anything_that_is_true_or_false(answer):
    assert Student(None, "f", "f()").answer(answer, "it") == bool(np.all(answer))


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (None, general.RETURNS_NOTHING),
        ("no", general.NO_ANSWER),
        (0.75, general.NO_ANSWER),
        (3, general.NO_ANSWER),
        ((True, [np.zeros(2), np.zeros(3)]), general.NO_ANSWER),
        ([np.zeros(2), np.zeros(3)], general.NO_ANSWER),
        ([], general.NO_ANSWER),
        ([True, False], general.MANY_ANSWERS),
        (np.zeros((3, 4), dtype=bool), general.MANY_ANSWERS),
    ],
)
def test_what_is_no_answer_is_named(answer, mistake):
    with pytest.raises(BrokenCall) as broken:
        Student(None, "f", "f()").answer(answer, "it")
    assert broken.value.finding.mistake is mistake


@pytest.mark.parametrize("value", ["stop", (False, [np.zeros(2)]), 0.5])
def test_update_is_told_that_its_answer_is_none(accused, value):
    class EarlyStopping(stopping.EarlyStopping):
        def update(self, loss, weights=None):
            super().update(loss, weights)
            return value

    exercise = TASK["EarlyStopping"]
    assert accused(exercise, EarlyStopping, "stop") == {general.NO_ANSWER.name}


def test_an_update_without_a_proper_answer_keeps_the_points_for_what_it_keeps(verdict):
    class EarlyStopping(stopping.EarlyStopping):
        def update(self, loss, weights=None):
            return "stop" if super().update(loss, weights) else "go on"

    assert verdict(TASK["EarlyStopping"], EarlyStopping, "best") is None


@pytest.mark.parametrize("name", ["is_frozen", "label_safe"])
@pytest.mark.parametrize("answer", [None, "yes", [True, False], 7, ([1], [2, 3])])
def test_a_question_that_is_not_answered_is_no_error_of_ours(verdict, name, answer):
    assert verdict(TASK[name], lambda *arguments: answer).mistakes


RAGGED = [np.zeros(2), np.zeros((3, 4))]
JUNK = {
    "nothing": None,
    "text": "0.5",
    "texts": np.array(["a", "b"]),
    "empty list": [],
    "empty pair": ([], []),
    "ragged": RAGGED,
    "pair of ragged": (RAGGED, RAGGED),
    "ragged pair": (np.zeros(2), RAGGED),
    "triple": (1, 2, 3),
    "dict": {"dW1": None, 3: RAGGED},
    "pair with a dict": ({"A3": 1}, np.zeros((1, 7))),
    "pair with None": (None, None),
    "object": object(),
    "function": len,
    "complex": 1j,
    "NaN": np.nan,
    "empty array": np.zeros((0, 3)),
    "objects": np.array([None, object()], dtype=object),
    "generator": (i for i in range(3)),
    "set": {1, 2},
    "cache of junk": (np.zeros((1, 7)), (RAGGED,) * 14),
    "cache of nothing": (np.zeros((1, 7)), (None,) * 14),
}


@pytest.mark.slow
@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", TASK)
def test_whatever_is_returned_is_judged_and_breaks_nothing(verdict, name, junk):
    class Object:
        best = weights = JUNK[junk]

        def __init__(self, *arguments):
            pass

        def update(self, loss, weights):
            return JUNK[junk]

    answer = Object if name == "EarlyStopping" else lambda *arguments: JUNK[junk]
    failures = [
        failed
        for aspect in TASK[name].aspects
        if (failed := verdict(TASK[name], answer, aspect.name)) is not None
    ]
    assert failures
    assert all("What came:" in str(failed) for failed in failures)


# Where results differ


def test_a_wrong_gradient_is_told_by_its_name(verdict):
    def answer(X, Y, cache, keep_prob):
        gradients = reference.backward_propagation_with_dropout(X, Y, cache, keep_prob)
        gradients["db1"] = gradients["db1"] + 1
        return gradients

    text = " ".join(str(verdict(TASK["backward_propagation_with_dropout"], answer)).split())
    assert "entries of the gradients differ (db1), most at db1[" in text


def test_a_wrong_pixel_is_told_by_its_place(verdict):
    def answer(image, dy, dx):
        out = images.shift(image, dy, dx)
        out[3, 2] += 1
        return out

    text = str(verdict(TASK["shift"], answer, "moved"))
    assert "1 of the 20 entries of the moved pixels differ, most at [3, 2]" in " ".join(
        text.split()
    )


def test_one_factor_for_all_entries_is_told():
    wanted = np.array([1.0, -2.0, 0.0])
    assert "all are -1 times what was expected" in differ(-wanted, wanted, "w").came
    assert "all are" not in differ(wanted + 1, wanted, "w").came
    assert "all are" not in differ(0 * wanted, wanted, "w").came
    assert "times" not in differ(np.asarray(0.0), np.asarray(2.0), "it").came


def test_a_factor_too_much_is_not_told_as_a_fixed_value(accused):
    """Divided by keep_prob twice, a result is not what any one keep_prob would give."""
    answer = lambda dout, mask, keep_prob: dout * mask / keep_prob**3  # noqa: E731
    assert accused(TASK["dropout_backward"], answer) == set()


def test_a_mask_of_zeros_is_not_called_frozen(verdict):
    def dropout_forward(a, keep_prob, rng, training=True):
        mask = rng.random(a.shape).astype(int)
        return (a * mask / keep_prob if training else a), mask

    failed = verdict(TASK["dropout_forward"], dropout_forward, "fresh")
    assert not [name for name in failed.mistakes if "frozen" in name]
