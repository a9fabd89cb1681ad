"""What somebody does who writes such a function for the first time, and what they read then.

Each contract's own file tries the mistakes of its chapter. Here are the slips of the language and
of NumPy, results of the wrong kind or shape, and the faults in dropout that no seed may hide.
"""

import numpy as np
import pytest

from reglib.exercises import _dropout_mistakes as catalog
from reglib.exercises import _findings as general
from reglib.exercises import _python_errors as slips
from reglib.exercises import augmentation, dropout, early_stopping, l1, l2
from reglib.exercises._comparison import differ
from reglib.exercises._student_function import BrokenCall, Student
from reglib.textbook import dropout as reference
from reglib.textbook import images, shrinkage, sparsity

EXERCISES = {
    name: exercise
    for module in (l2, l1, dropout, early_stopping, augmentation)
    for name, exercise in module.ASSIGNMENT.exercises.items()
}


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
    ("dropout_forward", lambda a, p, rng, training=True: rng.rand(3), slips.GENERATOR_METHOD),
    ("dropout_forward", lambda a, p, rng, training=True: rng(3), slips.GENERATOR_CALLED),
    ("random_crop", lambda image, h, w, rng: rng.integers(0), slips.NOTHING_TO_DRAW),
    ("map_lambda", lambda noise, prior: noise / 0, slips.BY_ZERO),
    ("EarlyStopping", NoInit, slips.NO_INIT),
]


@pytest.mark.parametrize(("name", "answer", "slip"), SLIPS)
def test_a_slip_is_told_in_words(accused, name, answer, slip):
    for aspect in EXERCISES[name].aspects:
        assert slip.name in accused(EXERCISES[name], answer, aspect.name)


def test_every_slip_is_tried():
    assert {slip for *_, slip in SLIPS} == set(slips.SLIPS)


def test_a_message_about_a_helper_of_ours_does_not_show_where_it_stands(verdict):
    answer = lambda f, x, n, rng: f(x)  # noqa: E731
    text = " ".join(str(verdict(EXERCISES["mc_dropout_predict"], answer)).split())
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
        "has shape (7, 4)",
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
    failed = verdict(EXERCISES[name], answer)
    assert mistake.name in failed.mistakes
    assert part in " ".join(str(failed).split())


def test_a_row_too_much_or_too_little_is_no_lost_axis(verdict):
    answer = lambda X, y, lam: np.zeros(X.shape[1] + 1)  # noqa: E731
    assert verdict(EXERCISES["ridge_closed_form"], answer).mistakes == ()


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
    class EarlyStopping(early_stopping.reference.EarlyStopping):
        def update(self, loss, weights=None):
            super().update(loss, weights)
            return value

    exercise = EXERCISES["EarlyStopping"]
    assert accused(exercise, EarlyStopping, "stop") == {general.NO_ANSWER.name}


def test_an_update_without_a_proper_answer_keeps_the_points_for_what_it_keeps(verdict):
    class EarlyStopping(early_stopping.reference.EarlyStopping):
        def update(self, loss, weights=None):
            return "stop" if super().update(loss, weights) else "go on"

    assert verdict(EXERCISES["EarlyStopping"], EarlyStopping, "best") is None


@pytest.mark.parametrize("name", ["is_frozen", "label_safe"])
@pytest.mark.parametrize("answer", [None, "yes", [True, False], 7, ([1], [2, 3])])
def test_a_question_that_is_not_answered_is_no_error_of_ours(verdict, name, answer):
    assert verdict(EXERCISES[name], lambda *arguments: answer).mistake


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


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", EXERCISES)
def test_whatever_is_returned_is_judged_and_breaks_nothing(verdict, name, junk):
    class Object:
        best = weights = JUNK[junk]

        def __init__(self, *arguments):
            pass

        def update(self, loss, weights):
            return JUNK[junk]

    answer = Object if name == "EarlyStopping" else lambda *arguments: JUNK[junk]
    for aspect in EXERCISES[name].aspects:
        failed = verdict(EXERCISES[name], answer, aspect.name)
        assert failed is None or "What came:" in str(failed)
    assert verdict(EXERCISES[name], answer) is not None


@pytest.mark.parametrize("aspect", ["layers", "masks", "scale", "fresh"])
def test_what_nobody_reads_in_a_cache_costs_no_points(verdict, aspect):
    """Z1 is for the student's own way back; the checks follow A1, A2 and the masks."""

    def answer(X, parameters, keep_prob, rng):
        A3, cache = network()(X, parameters, keep_prob, rng)
        return A3, (None, *cache[1:5], None, *cache[6:10], None, *cache[11:])

    assert verdict(EXERCISES["forward_propagation_with_dropout"], answer, aspect) is None


def test_a_wrong_activation_is_told_also_where_the_cache_lacks_its_input(verdict):
    def answer(X, parameters, keep_prob, rng):
        A3, cache = network(on_inputs=True)(X, parameters, keep_prob, rng)
        return A3, (None, *cache[1:])

    failed = verdict(EXERCISES["forward_propagation_with_dropout"], answer, "scale")
    assert "entries of A1 differ" in str(failed)


# Where results differ


def test_a_wrong_gradient_is_told_by_its_name(verdict):
    def answer(X, Y, cache, keep_prob):
        gradients = reference.backward_propagation_with_dropout(X, Y, cache, keep_prob)
        gradients["db1"] = gradients["db1"] + 1
        return gradients

    text = " ".join(str(verdict(EXERCISES["backward_propagation_with_dropout"], answer)).split())
    assert "entries of the gradients differ (db1), most at db1[" in text


def test_a_wrong_pixel_is_told_by_its_place(verdict):
    def answer(image, dy, dx):
        out = images.shift(image, dy, dx)
        out[3, 2] += 1
        return out

    text = str(verdict(EXERCISES["shift"], answer, "moved"))
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
    assert accused(EXERCISES["dropout_backward"], answer) == set()


# Dropout


def forward(make_mask=None, make_out=None, pair=lambda out, mask: (out, mask)):
    make_mask = make_mask or (lambda a, p, rng: rng.random(a.shape) < p)
    make_out = make_out or (lambda a, mask, p: a * mask / p)

    def dropout_forward(a, keep_prob, rng, training=True):
        mask = make_mask(a, keep_prob, rng)
        return pair(make_out(a, mask, keep_prob) if training else a, mask)

    return dropout_forward


LAYER = [
    (forward(pair=lambda out, mask: (mask, out)), None, general.PAIR_SWAPPED),
    (forward(lambda a, p, rng: a < p), "mask", catalog.NOT_RANDOM),
    (forward(lambda a, p, rng: a > p), "fresh", catalog.NOT_RANDOM),
    (forward(lambda a, p, rng: rng.random() < p), "mask", catalog.ONE_MASK),
    (forward(lambda a, p, rng: rng.random() < p), "fresh", catalog.ONE_MASK),
    (forward(make_out=lambda a, mask, p: a * mask / p / p), "scale", catalog.SCALED_TWICE),
]


@pytest.mark.parametrize(("answer", "aspect", "mistake"), LAYER)
def test_a_mistake_in_a_layer_is_named(accused, answer, aspect, mistake):
    assert accused(EXERCISES["dropout_forward"], answer, aspect) == {mistake.name}


def test_a_mask_of_zeros_is_not_called_frozen(verdict):
    answer = forward(lambda a, p, rng: rng.random(a.shape).astype(int))
    failed = verdict(EXERCISES["dropout_forward"], answer, "fresh")
    assert failed.mistakes == ()
    assert "all entries of the mask are equal" in str(failed)
    assert "nothing is ever kept" in " ".join(
        str(verdict(EXERCISES["dropout_forward"], answer, "mask")).split()
    )


def network(on_inputs=False, passed_on=True, cached=True, biased=True):
    def forward_propagation_with_dropout(X, parameters, keep_prob, rng):
        W1, b1, W2, b2, W3, b3 = (
            parameters[name] * (1 if biased or name[0] == "W" else 0)
            for name in ("W1", "b1", "W2", "b2", "W3", "b3")
        )
        if on_inputs:
            X, _ = reference.dropout_forward(X, keep_prob, rng)
        Z1 = W1 @ X + b1
        whole = np.maximum(Z1, 0)
        A1, D1 = reference.dropout_forward(whole, keep_prob, rng)
        Z2 = W2 @ (A1 if passed_on else whole) + b2
        A2, D2 = reference.dropout_forward(np.maximum(Z2, 0), keep_prob, rng)
        Z3 = W3 @ A2 + b3
        A3 = 1 / (1 + np.exp(-Z3))
        kept = (A1, A2) if cached else (whole, np.maximum(Z2, 0))
        return A3, (Z1, D1, kept[0], W1, b1, Z2, D2, kept[1], W2, b2, Z3, A3, W3, b3)

    return forward_propagation_with_dropout


def exchanged(X, parameters, keep_prob, rng):
    return network()(X, parameters, keep_prob, rng)[::-1]


def masks_behind_activations(X, parameters, keep_prob, rng):
    A3, (Z1, D1, A1, W1, b1, *rest) = network()(X, parameters, keep_prob, rng)
    return A3, (Z1, A1, D1, W1, b1, *rest)


NETWORK = [
    (network(on_inputs=True), "scale", catalog.INPUT_DROPPED),
    (network(passed_on=False), "scale", catalog.NOT_PASSED_ON),
    (network(cached=False), "scale", catalog.CACHED_BEFORE),
    (network(biased=False), "layers", catalog.NO_BIAS),
    (network(biased=False), "scale", catalog.NO_BIAS),
    *(
        (exchanged, aspect, general.PAIR_SWAPPED)
        for aspect in ("layers", "masks", "scale", "fresh")
    ),
    (masks_behind_activations, "masks", catalog.CACHE_LAYOUT),
]


@pytest.mark.parametrize(("answer", "aspect", "mistake"), NETWORK)
def test_a_mistake_in_a_network_is_named(accused, answer, aspect, mistake):
    exercise = EXERCISES["forward_propagation_with_dropout"]
    assert accused(exercise, answer, aspect) == {mistake.name}


def test_a_right_network_is_accused_of_nothing(verdict):
    exercise = EXERCISES["forward_propagation_with_dropout"]
    assert verdict(exercise, network(), seeds=range(20)) is None


@pytest.mark.parametrize("aspect", ["output", "hidden"])
def test_labels_before_outputs_are_named(accused, aspect):
    def answer(X, Y, cache, keep_prob):
        gradients = reference.backward_propagation_with_dropout(X, Y, cache, keep_prob)
        return {name: -value for name, value in gradients.items()}

    exercise = EXERCISES["backward_propagation_with_dropout"]
    assert accused(exercise, answer, aspect) == {catalog.LABELS_FIRST.name}


def monte_carlo(statistics, calls=lambda n: n):
    return lambda f, x, n, rng: statistics(np.stack([f(x, rng) for _ in range(calls(n))]))


@pytest.mark.parametrize("aspect", ["mean", "spread"])
@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (monte_carlo(lambda p: (p.std(0), p.mean(0))), general.PAIR_SWAPPED),
        (monte_carlo(lambda p: (p.mean(1), p.std(1))), catalog.OTHER_AXIS),
        (monte_carlo(lambda p: (p.mean(-1), p.std(-1))), catalog.OTHER_AXIS),
        (
            monte_carlo(lambda p: (p[1:].mean(0), p[1:].std(0)), lambda n: n + 1),
            catalog.ONE_CALL,
        ),
    ],
)
def test_a_mistake_in_a_monte_carlo_prediction_is_named(accused, answer, mistake, aspect):
    assert accused(EXERCISES["mc_dropout_predict"], answer, aspect) == {mistake.name}


@pytest.mark.parametrize(
    ("compared", "mistake"),
    [
        (lambda one, other: bool(np.any(one == other)), catalog.PARTLY_EQUAL),
        (lambda one, other: abs(one.mean() - other.mean()) < 0.5, catalog.PARTLY_EQUAL),
        (lambda one, other: not np.array_equal(one, other), catalog.NEGATED),
        (lambda one, other: one == other, general.MANY_ANSWERS),
    ],
)
def test_a_wrong_comparison_of_masks_is_named(accused, compared, mistake):
    answer = lambda forward, a, p, rng: compared(forward(a, p, rng)[1], forward(a, p, rng)[1])  # noqa: E731
    assert accused(EXERCISES["is_frozen"], answer) == {mistake.name}
