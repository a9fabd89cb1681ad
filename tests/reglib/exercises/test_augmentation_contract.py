"""What assignment 8's contract promises beside what every contract does."""

import numpy as np
import pytest

from reglib.exercises import augmentation
from reglib.exercises._answers import function_of
from reglib.exercises._zoom_and_rotate import _clear

TASKS = augmentation.ASSIGNMENT.exercises
LOOP = """
    H, W = image.shape[:2]
    out = np.zeros_like(image)
    for i, j in np.ndindex(H, W):
        if 0 <= i - dy < H and 0 <= j - dx < W:
            out[i, j] = image[i - dy, j - dx]
    return out
"""
CUT = """
    H, W = image.shape[0] - height, image.shape[1] - width
    top, left = {}
    return image[top : top + height, left : left + width]
"""
NARROW = "(min(max(int(rng.normal(n / 2 + 0.5, 1)), 0), n) for n in (H, W))"
SCIPY = """
    from scipy import ndimage
    return ndimage.rotate(image, {}, reshape=False)
"""


def answer(name, text):
    return function_of(text, TASKS[name].signature)


@pytest.mark.parametrize(
    ("name", "text", "aspect"),
    [
        ("shift", "np.roll(image, (dy, dx), (0, 1))", "moved"),
        ("shift", LOOP.replace("np.zeros_like(image)", "image.copy()"), "moved"),
        ("shift", "np.zeros_like(image)", "empty"),
        ("random_crop", CUT.format("0, 0"), "window"),
        ("random_crop", CUT.format("np.random.randint(H + 1), np.random.randint(W + 1)"), "places"),
        ("random_crop", CUT.format(NARROW), "fresh"),
        ("rotate", SCIPY.format("degrees"), "quarters"),
        ("adjust_contrast", TASKS["adjust_contrast"].model.replace(", 0, 1", ", -9, 9"), "mean"),
    ],
)
def test_one_fault_keeps_the_points_of_the_other_aspects(verdict, name, text, aspect):
    assert verdict(TASKS[name], answer(name, text), aspect) is None
    assert verdict(TASKS[name], answer(name, text)) is not None


@pytest.mark.parametrize(
    ("name", "text", "mistake"),
    [
        ("shift", LOOP.replace("[:2]", ""), "gray images only"),
        ("shift", LOOP.replace("H, W =", "W, H ="), "square images only"),
        ("shift", LOOP.replace("0 <= i", "i").replace("0 <= j", "j"), "negative indices"),
        (
            "shift",
            """
            out = np.zeros_like(image)
            out[dy:, dx:] = image[: image.shape[0] - dy, : image.shape[1] - dx]
            return out
            """,
            "positive shifts only",
        ),
        (
            "shift",
            """
            out, (H, W) = np.zeros_like(image), image.shape[:2]
            rows, columns = slice(max(-dy, 0), H - max(dy, 0)), slice(max(-dx, 0), W - max(dx, 0))
            out[max(dy, 0) : H + min(dy, 0), max(dx, 0) : W + min(dx, 0)] = image[rows, columns]
            return out
            """,
            "shift beyond the image",
        ),
        ("horizontal_flip", "image[:, np.arange(image.shape[0])[::-1]]", "square images only"),
    ],
)
def test_where_an_answer_breaks_down_it_is_told_what_is_right(accused, name, text, mistake):
    assert mistake in accused(TASKS[name], answer(name, text))


@pytest.mark.parametrize(
    "corner",
    [
        NARROW,
        "rng.integers(H + 1), min(max(int(rng.normal(W / 2 + 0.5, 0.7)), 0), W)",
        "(int(max(rng.random(2)) * (n + 1)) for n in (H, W))",
        "(int(rng.random() * (n + 1) * rng.random()) for n in (H, W))",
    ],
)
def test_places_that_are_not_alike_are_found_whatever_makes_them(accused, corner):
    named = accused(TASKS["random_crop"], answer("random_crop", CUT.format(corner)), "places")
    assert named == {"places not equally likely"}


@pytest.mark.parametrize("rng", ["np.random.default_rng(0)", "np.random.RandomState(0)"])
def test_a_seed_inside_is_no_matter_of_color(accused, rng):
    name = "integers" if "default" in rng else "randint"
    text = CUT.format(f"(draw(n + 1) for n in (H, W) for draw in [rng.{name}])")
    text = text.replace("top, left =", f"rng = {rng}\n    top, left =")
    assert accused(TASKS["random_crop"], answer("random_crop", text)) == {"always the same place"}


def test_interpolation_is_named_whatever_formula_it_uses(accused):
    named = accused(TASKS["rotate"], answer("rotate", SCIPY.format("degrees")))
    assert named == {"values computed, not copied"}


def test_a_clockwise_turn_is_named_whatever_it_does_at_the_rim(accused):
    text = SCIPY.format("-degrees, order=0")
    assert accused(TASKS["rotate"], answer("rotate", text)) == {"turned clockwise"}


def test_quarter_turns_alone_do_not_show_an_argument_without_effect(accused):
    text = TASKS["rotate"].model.replace("(degrees)", "(degrees % 90)")
    assert not accused(TASKS["rotate"], answer("rotate", text))


def test_labels_are_compared_for_being_equal_not_for_being_one_object(verdict):
    same = TASKS["label_safe"].model.replace("==", "is")
    assert verdict(TASKS["label_safe"], answer("label_safe", same)) is not None


def test_a_place_just_outside_is_a_matter_of_taste_and_one_on_the_edge_is_none():
    """SciPy takes it for the outside; an answer that rounds first, for the edge."""
    rows = np.array([[-1e-5, -1e-16, 0.2], [2 + 1e-5, 2 + 1e-16, 1.8], [-0.6, 2.6, 1.0]])
    clear = _clear((rows, np.ones((3, 3))))
    assert clear.tolist() == [[False, True, True], [False, True, True], [True, True, True]]
