"""The picture of a penalty's pull: its dots are the true minima, and bad input is named."""

import numpy as np
import pytest

from reglib.plotting import alt_text, plot_penalty_path

CURVATURE = np.array([[2.0, 0.9], [0.9, 1.0]])
BEST = np.array([1.6, 0.7])


def dots(ax):
    return np.array(ax.lines[1].get_xydata())


@pytest.mark.parametrize("penalty", ["l2", "l1"])
def test_dots_are_minima_of_cost_plus_penalty(penalty):
    strengths = [0.0, 0.3, 1.0, 4.0]

    def total(w, lam):
        away = w - BEST
        size = 0.5 * w @ w if penalty == "l2" else np.abs(w).sum()
        return 0.5 * away @ CURVATURE @ away + lam * size

    rng = np.random.default_rng(0)
    drawn = dots(plot_penalty_path(CURVATURE, BEST, strengths, penalty))
    for w, lam in zip(drawn, strengths, strict=True):
        around = w + rng.normal(0, 1e-3, (200, 2))
        assert total(w, lam) <= min(total(other, lam) for other in around) + 1e-12


def test_l1_reaches_an_exact_zero_and_l2_does_not():
    strengths = [0.3, 2.0]
    assert dots(plot_penalty_path(CURVATURE, BEST, strengths, "l1"))[1, 1] == 0
    assert (dots(plot_penalty_path(CURVATURE, BEST, strengths, "l2")) != 0).all()


def test_alternative_text_names_penalty_and_minima():
    text = alt_text(plot_penalty_path(np.diag([10, 0.1]), [1, 1], [1.0]))
    assert "l2 penalty" in text
    assert "(0.909, 0.0909)" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.eye(3), BEST, [1.0]), "curvature"),
        ((-np.eye(2), BEST, [1.0]), "curvature must be symmetric and positive definite"),
        ((CURVATURE, [1.0], [1.0]), "best"),
        ((CURVATURE, BEST, [1.0, 1.0]), "strengths must be at least 0 and rising"),
        ((CURVATURE, BEST, [-1.0, 1.0]), "strengths must be at least 0 and rising"),
        ((CURVATURE, BEST, [1.0], "l3"), "penalty"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        plot_penalty_path(*arguments)
