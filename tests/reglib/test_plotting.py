"""Figures draw what they are given, on the axes they are given, and say so in words."""

import itertools
import subprocess
import sys

import matplotlib
import numpy as np
import pytest

matplotlib.use("agg")
import matplotlib.pyplot as plt
from matplotlib.colors import to_rgb

from reglib import plotting
from reglib.experiments import run
from reglib.plotting import (
    PALETTE,
    alt_text,
    describe,
    label_lines,
    ordered_colors,
    plot_augmented_grid,
    plot_calibration,
    plot_decision_boundary,
    plot_filters,
    plot_history,
    plot_paired_difference,
    plot_regularization_path,
    plot_seed_spread,
    plot_weight_histograms,
    set_style,
)

FRAME = run(
    lambda seed, shift=0.0: {"accuracy": np.random.default_rng(seed).random() + shift},
    {"plain": {}, "better": {"shift": 0.1}, "same": {}},
    seeds=5,
)
POINTS = np.array([[-1.0, 0.0], [1.0, 0.5], [2.0, 1.0], [-2.0, -1.0]])
IMAGES = np.random.default_rng(0).random((3, 5, 4, 1))

DRAW = {
    "history": lambda ax=None: plot_history({"loss": [2.0, 1.0], "val_loss": [2.0, 3.0]}, ax=ax),
    "boundary": lambda ax=None: plot_decision_boundary(
        lambda p: p[:, 0] > 0, POINTS, [0, 1, 1, 0], resolution=20, ax=ax
    ),
    "histograms": lambda ax=None: plot_weight_histograms({"a": [1.0, 2.0]}, ax=ax),
    "path": lambda ax=None: plot_regularization_path([0.1, 1], [[1.0], [0.0]], ax=ax),
    "grid": lambda ax=None: plot_augmented_grid(IMAGES, lambda b: b[:, ::-1], ax=ax),
    "filters": lambda ax=None: plot_filters(np.ones((3, 3, 2, 4)), ax=ax),
    "calibration": lambda ax=None: plot_calibration([0.2, 0.8], [0, 1], ax=ax),
    "spread": lambda ax=None: plot_seed_spread(FRAME, "accuracy", ax=ax),
    "paired": lambda ax=None: plot_paired_difference(FRAME, "plain", "accuracy", ax=ax),
}


@pytest.fixture(autouse=True)
def clean_slate():
    with matplotlib.rc_context():
        set_style()
        yield
    plt.close("all")


@pytest.fixture(params=DRAW.values(), ids=DRAW.keys())
def draw(request):
    return request.param


def test_it_draws_on_the_given_axes_and_returns_them(draw):
    _, (left, right) = plt.subplots(1, 2)
    assert draw(ax=right) is right
    assert right.has_data()
    assert not left.has_data()


def test_it_makes_axes_of_its_own_when_given_none(draw):
    _, other = plt.subplots()
    assert draw() is not other
    assert not other.has_data()


def test_its_alternative_text_is_a_sentence_or_more(draw):
    text = alt_text(draw())
    assert 40 < len(text) < 700
    assert text[0].isupper()
    assert text.endswith(".")
    assert "nan" not in text
    assert "array" not in text


def test_the_same_data_give_the_same_picture(draw):
    pictures = []
    for _ in range(2):
        ax = draw()
        ax.figure.canvas.draw()
        pictures.append(np.asarray(ax.figure.canvas.buffer_rgba()).copy())
    np.testing.assert_array_equal(*pictures)


def test_it_leaves_its_data_alone():
    images, weights = IMAGES.copy(), np.array([1.0, 2.0])

    def scribbles(batch):
        batch[:] = 0
        return batch

    plot_augmented_grid(images, scribbles)
    plot_weight_histograms({"a": weights})
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(weights, [1.0, 2.0])


def test_axes_that_are_none_are_refused():
    with pytest.raises(TypeError, match="ax must be matplotlib axes, got str"):
        plot_history({"loss": [1.0]}, ax="left")


# Style


def luminance(color):
    c = np.array(to_rgb(color))
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(a, b):
    high, low = sorted([luminance(a), luminance(b)], reverse=True)
    return (high + 0.05) / (low + 0.05)


# Machado et al. (2009), severity 1, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def seen(color, kind):
    """Return CIELAB coordinates of a color as seen with a kind of color blindness."""
    c = np.array(to_rgb(color))
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    rgb = np.clip(np.asarray(BLINDNESS[kind]) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    t = np.asarray(to_xyz) @ rgb / [0.9505, 1, 1.089]
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("color", plotting.PALETTE)
def test_lines_stand_out_from_the_panel(color):
    assert contrast(color, plotting.PANEL) >= 3  # WCAG 2.1, 1.4.11


def test_text_stands_out_from_the_panel():
    assert contrast(plotting.INK, plotting.PANEL) >= 7


@pytest.mark.parametrize("kind", BLINDNESS)
@pytest.mark.parametrize(("a", "b"), list(itertools.combinations(plotting.PALETTE, 2)))
def test_any_two_colors_can_be_told_apart(a, b, kind):
    assert np.linalg.norm(seen(a, kind) - seen(b, kind)) > 15


def test_the_panel_is_opaque_so_that_any_page_may_lie_behind():
    ax = plot_history({"loss": [1.0, 0.5]})
    assert ax.figure.get_facecolor() == (*to_rgb(plotting.PANEL), 1)
    assert matplotlib.rcParams["savefig.facecolor"] == plotting.PANEL


def test_color_never_stands_alone():
    ax = plot_history({"loss": [1.0, 0.5], "val_loss": [1.0, 0.7]})
    train, validation = ax.lines[:2]
    assert (train.get_color(), train.get_linestyle()) == (plotting.TRAIN, "-")
    assert (validation.get_color(), validation.get_linestyle()) == (plotting.VALIDATION, "--")


def test_drawing_libraries_are_not_imported_with_the_module():
    code = (
        "import sys, reglib.plotting, reglib.experiments, reglib.datasets, reglib.gradcheck;"
        "heavy = {'matplotlib', 'pandas', 'scipy', 'sklearn', 'seaborn', 'statsmodels', 'tqdm'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# What each one shows


def test_history_draws_the_values_by_epoch_and_marks_the_best():
    ax = plot_history({"loss": [3.0, 2.0, 1.0], "val_loss": [3.0, 1.5, 2.5]})
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[1, 3], [2, 2], [3, 1]])
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), [3, 1.5, 2.5])
    np.testing.assert_array_equal(ax.lines[2].get_xydata(), [[2, 1.5]])
    assert "best at 1.5 in epoch 2 and ends at 2.5" in alt_text(ax)


def test_history_takes_the_highest_accuracy_for_the_best():
    ax = plot_history({"accuracy": [0.1, 0.9], "val_accuracy": [0.8, 0.7]}, "accuracy")
    assert "best at 0.8 in epoch 1" in alt_text(ax)


def test_history_takes_what_fit_returns():
    from reglib.layers import Dense
    from reglib.models import Sequential

    model = Sequential([Dense(1)], seed=0)
    model.compile("sgd", "mse")
    history = model.fit(POINTS, POINTS[:, :1], epochs=3, validation_split=0.25, verbose=0)
    assert "over 3 epochs" in alt_text(plot_history(history))


def test_history_without_validation_has_one_line():
    ax = plot_history({"loss": [3.0, 2.0]})
    assert len(ax.lines) == 1
    assert "alidation" not in alt_text(ax)


OUTPUTS = {
    "(n,)": lambda p: 1 / (1 + np.exp(-p[:, 0])),
    "(n, 1)": lambda p: 1 / (1 + np.exp(-p[:, :1])),
    "(n, 2)": lambda p: np.stack([-p[:, 0], p[:, 0]], axis=1),
    "bool": lambda p: p[:, 0] > 0,
}


@pytest.mark.parametrize("predict", OUTPUTS.values(), ids=OUTPUTS.keys())
def test_boundary_lies_where_the_classifier_changes_its_mind(predict):
    ax = plot_decision_boundary(predict, POINTS, [0, 1, 1, 1], resolution=101)
    text = alt_text(ax)
    assert "3 of 4 points (75.0 %)" in text
    assert "class 0 50 %, class 1 50 %" in text
    lines = [c for c in ax.collections if type(c).__name__ == "QuadContourSet" and not c.filled]
    (x,) = {round(float(v[0]), 1) for path in lines[0].get_paths() for v in path.vertices}
    assert x == 0


def test_boundary_takes_models_and_three_classes():
    class Model:
        def predict(self, points):
            return np.stack([points[:, 0], points[:, 1], -points.sum(axis=1)], axis=1)

    ax = plot_decision_boundary(Model(), POINTS, [[0], [1], [2], [2]], resolution=20)
    assert "3 classes" in alt_text(ax)


def test_boundary_takes_a_reglib_model_without_printing(capsys):
    from reglib.layers import Dense
    from reglib.models import Sequential

    model = Sequential([Dense(1, activation="sigmoid")], seed=0)
    plot_decision_boundary(model, POINTS, [0, 1, 1, 0], resolution=10)
    assert capsys.readouterr() == ("", "")


def test_histograms_share_their_bins_and_sum_to_one():
    ax = plot_weight_histograms({"a": [np.zeros((2, 2)), np.ones(4)], "b": [5.0]}, bins=10)
    heights = [patch.get_data() for patch in ax.patches]
    np.testing.assert_array_equal(heights[0].edges, heights[1].edges)
    assert heights[0].values.sum() == pytest.approx(1)
    assert "a: standard deviation 0.5, 50 % exactly zero" in alt_text(ax)


def test_path_draws_one_line_a_coefficient_and_counts_zeros():
    coefficients = [[2.0, 1.0, -0.5], [1.0, 0.0, 0.0]]
    ax = plot_regularization_path([0.1, 1.0], coefficients, names=["a", "noise 1", "noise 2"])
    drawn = sorted(line.get_ydata().tolist() for line in ax.lines)
    assert drawn == sorted(np.transpose(coefficients).tolist())
    assert "2 of them at strength 1" in alt_text(ax)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["noise columns", "real columns"]


def test_grid_shows_the_original_first_and_then_each_copy():
    shifts = itertools.count(1)
    ax = plot_augmented_grid(IMAGES, lambda b: np.roll(b, next(shifts), axis=2), copies=2)
    canvas = np.asarray(ax.images[0].get_array())
    assert canvas.shape == (3 * 6 - 1, 3 * 5 - 1)
    np.testing.assert_array_equal(canvas[:5, :4], IMAGES[0, :, :, 0])
    np.testing.assert_array_equal(canvas[6:11, 5:9], np.roll(IMAGES[1, :, :, 0], 1, axis=1))
    np.testing.assert_array_equal(canvas[12:17, 10:14], np.roll(IMAGES[2, :, :, 0], 2, axis=1))


def test_grid_calls_a_layer_in_training_mode():
    from reglib.layers import Dropout

    text = alt_text(plot_augmented_grid(IMAGES + 1, Dropout(0.5, seed=0)))
    assert "change by 0 on" not in text


@pytest.mark.parametrize("shape", [(2, 5, 4), (2, 5, 4, 1), (2, 5, 4, 3)])
def test_grid_takes_gray_and_color(shape):
    ax = plot_augmented_grid(np.random.default_rng(0).random(shape), lambda b: b, copies=1)
    assert "2 images of 5 by 4 pixels" in alt_text(ax)


def test_filters_are_tiles_by_input_and_output():
    kernel = np.random.default_rng(0).normal(size=(3, 2, 2, 4))
    ax = plot_filters(kernel)
    canvas = np.asarray(ax.images[0].get_array())
    assert canvas.shape == (2 * 4 - 1, 4 * 3 - 1)
    np.testing.assert_array_equal(canvas[4:7, 6:8], kernel[:, :, 1, 2])
    low, high = ax.images[0].get_clim()
    assert -low == high == np.abs(kernel).max()


def test_calibration_error_is_that_of_a_hand_worked_case():
    # Two bins: says .9, right 1 of 2 (gap .4); says .1, right 0 of 2 (gap .1); mean .25.
    ax = plot_calibration([0.9, 0.9, 0.1, 0.1], [1, 0, 0, 0])
    assert "calibration error is 0.25" in alt_text(ax)
    np.testing.assert_allclose(ax.lines[1].get_xydata(), [[0.1, 0], [0.9, 0.5]])


def test_calibration_of_several_classes_looks_at_the_largest_probability():
    p = [[0.7, 0.2, 0.1], [0.1, 0.7, 0.2]]
    assert "calibration error is 0.2." in alt_text(plot_calibration(p, [0, 2]))
    assert "calibration error is 0.3." in alt_text(plot_calibration(p, [0, 1]))


def test_a_calibrated_model_has_nearly_no_error():
    rng = np.random.default_rng(0)
    p = rng.random(100_000)
    text = alt_text(plot_calibration(p, rng.random(100_000) < p))
    assert float(text.split()[-1][:-1]) < 0.01


def test_spread_shows_every_seed_and_the_mean():
    ax = plot_seed_spread(FRAME, "accuracy")
    dots = np.concatenate([c.get_offsets()[:, 0] for c in ax.collections])
    np.testing.assert_allclose(np.sort(dots), np.sort(FRAME["accuracy"]))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["plain", "better", "same"]
    assert f"plain: mean {FRAME['accuracy'][:5].mean():.3g}, 95 % interval" in alt_text(ax)


def test_spread_takes_a_mapping_and_a_single_seed():
    text = alt_text(plot_seed_spread({"a": [1.0]}, "loss"))
    assert text == "Dots for each seed of loss. a: mean 1, 1 seed."


def test_paired_plot_says_what_is_clear_and_what_may_be_noise():
    rng = np.random.default_rng(0)
    noise = iter(rng.normal(0, 0.1, 100))
    frame = run(
        lambda seed, shift: seed + shift + next(noise),
        {"plain": {"shift": 0}, "clear": {"shift": 1}, "noise": {"shift": 0.0001}},
        seeds=8,
    )
    text = alt_text(plot_paired_difference(frame, "plain"))
    clear, noisy = text.split("clear: ")[1].split("noise: ")
    assert "which excludes zero" in clear
    assert "which covers zero" in noisy


def test_a_setting_has_one_color_in_both_plots():
    spread, paired = (DRAW[name]() for name in ("spread", "paired"))
    colors = [c.get_facecolor()[0, :3].tolist() for c in spread.collections]
    assert [c.get_facecolor()[0, :3].tolist() for c in paired.collections] == colors[1:]


# Alternative text


def test_a_figures_text_joins_those_of_its_axes():
    fig, (left, _, right) = plt.subplots(1, 3)
    DRAW["histograms"](ax=left)
    DRAW["calibration"](ax=right)
    assert alt_text(fig) == f"{alt_text(left)} {alt_text(right)}"


def test_a_later_drawing_replaces_the_text():
    _, ax = plt.subplots()
    DRAW["histograms"](ax=ax)
    assert alt_text(describe(ax, "My own words.")) == "My own words."


def test_axes_not_drawn_here_have_no_text():
    with pytest.raises(ValueError, match=r"drawing must come from reglib\.plotting"):
        alt_text(plt.subplots()[1])


BAD = [
    (lambda: describe(plt.subplots()[1], ""), ValueError, "text must not be empty"),
    (lambda: describe(plt.subplots()[1], 3), TypeError, "text must be a str"),
    (lambda: plot_history([1.0]), TypeError, "history must be a History or a mapping"),
    (lambda: plot_history({"loss": [1.0]}, "f1"), ValueError, "metric must be one of 'loss'"),
    (lambda: plot_history({"loss": []}), ValueError, "loss must not be empty"),
    (lambda: plot_history({"loss": [1, 2], "val_loss": [1]}), ValueError, "val_loss"),
    (lambda: plot_decision_boundary(3, POINTS, [0, 1, 1, 0]), TypeError, "predict must be"),
    (lambda: plot_decision_boundary(np.sum, POINTS, [0, 1, 1, 0]), ValueError, "predict must"),
    (lambda: plot_decision_boundary(len, np.ones((3, 3)), [0, 1, 1]), ValueError, "x must have"),
    (lambda: plot_decision_boundary(len, POINTS, [0, 1]), ValueError, "y must have shape"),
    (lambda: plot_decision_boundary(len, POINTS, [0.5, 1, 1, 0]), ValueError, "y must hold class"),
    (
        lambda: plot_decision_boundary(len, POINTS, [0, 1, 1, 0], resolution=1),
        ValueError,
        "resolution",
    ),
    (lambda: plot_weight_histograms([1.0]), TypeError, "weights must be a mapping"),
    (lambda: plot_weight_histograms({}), ValueError, "weights must not be empty"),
    (lambda: plot_weight_histograms({"a": []}), ValueError, "weights"),
    (lambda: plot_weight_histograms({"a": ["b"]}), TypeError, "weights"),
    (lambda: plot_weight_histograms({"a": [1.0]}, bins=0), ValueError, "bins"),
    (lambda: plot_regularization_path([0, 1], [[1.0], [1.0]]), ValueError, "strengths must be po"),
    (lambda: plot_regularization_path([1, 0.5], [[1.0], [1.0]]), ValueError, "rising"),
    (lambda: plot_regularization_path([1.0], [[1.0], [1.0]]), ValueError, "coefficients"),
    (lambda: plot_regularization_path([1.0], [[1.0]], names=["a", "b"]), ValueError, "names"),
    (lambda: plot_augmented_grid(np.ones((2, 2)), len), ValueError, "images must have shape"),
    (lambda: plot_augmented_grid(np.ones((1, 2, 2, 2)), len), ValueError, "images must have shape"),
    (lambda: plot_augmented_grid(IMAGES, 3), TypeError, "transform must be callable"),
    (lambda: plot_augmented_grid(IMAGES, lambda b: b[:1]), ValueError, "transform must keep"),
    (lambda: plot_augmented_grid(IMAGES, np.sin, copies=0), ValueError, "copies"),
    (lambda: plot_filters(np.ones((3, 3))), ValueError, "kernel must have 4 axes"),
    (lambda: plot_calibration([1.5], [1]), ValueError, r"probabilities must be in \[0, 1\]"),
    (lambda: plot_calibration([0.5], [2]), ValueError, "labels must be 0 or 1"),
    (lambda: plot_calibration([0.5], [1, 0]), ValueError, "labels must have shape"),
    (lambda: plot_calibration([np.nan], [1]), ValueError, "probabilities must be finite"),
    (lambda: plot_calibration(np.ones((1, 1, 1)), [1]), ValueError, "probabilities must have sh"),
    (lambda: plot_seed_spread({}, "loss"), ValueError, "results must not be empty"),
    (lambda: plot_seed_spread(FRAME, "f1"), ValueError, "column 'f1'"),
    (lambda: plot_seed_spread([1.0], "loss"), TypeError, "frame must be a DataFrame"),
    (lambda: plot_paired_difference(FRAME, "best", "accuracy"), ValueError, "baseline"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_lines_are_labeled_at_their_ends_in_their_colors():
    _, ax = plt.subplots()
    ax.plot([1, 2, 3], [1.0, 2.0, np.nan], label="first")
    ax.plot([3, 2], [9, 8], label="second")
    ax.plot([1, 2], [0, 0])  # has no name
    label_lines(ax)
    assert [text.get_text() for text in ax.texts] == ["first", "second"]
    assert [text.xy for text in ax.texts] == [(2, 2), (3, 9)]
    assert [text.get_color() for text in ax.texts] == [line.get_color() for line in ax.lines[:2]]


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_labels_of_lines_that_end_together_keep_off_each_other(scale):
    figure, ax = plt.subplots()
    for height in (1, 1.01, 1.02, 5):
        ax.plot([0, 1], [2, height], label=f"to {height}")
    ax.set_yscale(scale)
    label_lines(ax)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    heights = [box.y0 for box in boxes]
    assert heights == sorted(heights)


def test_settings_with_an_order_have_colors_with_an_order():
    def colors(*names):
        ax = plot_seed_spread({name: [1.0, 2.0] for name in names})
        return [dots.get_facecolor()[0][:3] for dots in ax.collections]

    def are(expected):
        return [to_rgb(color) for color in expected]

    rising = ordered_colors(3)
    for names in (("2 kept", "8 kept", "16 kept"), ("0.01", "0.1", "1.0")):
        np.testing.assert_allclose(colors(*names), are(rising))
    np.testing.assert_allclose(colors("9", "5", "1"), are(rising[::-1]))
    for names in (("L1", "L2"), ("one", "2", "3"), ("1", "3", "2")):
        np.testing.assert_allclose(colors(*names), are(PALETTE[: len(names)]))


def test_history_is_labeled_at_its_lines():
    ax = plot_history({"loss": [1.0, 0.5, 0.2], "val_loss": [1.1, 0.9, 1.0]})
    assert ax.get_legend() is None
    assert {text.get_text() for text in ax.texts} == {"training", "validation", "best"}
