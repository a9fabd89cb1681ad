"""What assignment 9's contract promises beside what every contract does."""

import pytest

from reglib.exercises import mixing
from reglib.exercises._answers import function_of

TASKS = mixing.ASSIGNMENT.exercises
#: Rows and columns of the box as in a program that many have copied, in whole pixels.
COPIED_BOX = """
    n, H, W = images.shape[:3]
    lam, order = rng.beta(alpha, alpha), rng.permutation(n)
    h, w = int(H * np.sqrt(1 - lam)), int(W * np.sqrt(1 - lam))
    cy, cx = rng.integers(H), rng.integers(W)
    y1, y2 = np.clip([cy - h // 2, cy + h // 2], 0, H)
    x1, x2 = np.clip([cx - w // 2, cx + w // 2], 0, W)
    mixed = images.copy()
    mixed[:, y1:y2, x1:x2] = images[order, y1:y2, x1:x2]
    lam = {}
    return mixed, lam * y + (1 - lam) * y[order]
"""
AREA = "1 - (y2 - y1) * (x2 - x1) / (H * W)"


def answer(name, text):
    return function_of(text, TASKS[name].signature)


@pytest.mark.parametrize(
    ("name", "edit", "aspect"),
    [
        ("cutout", ("] = 0", "] = 1"), "places"),
        ("mixup", ("lam * y + (1 - lam) * y[partner]", "y"), "blend"),
        ("mixup", ("rng.beta(alpha, alpha)", "rng.random()"), "targets"),
        ("cutmix", ("np.sqrt(1 - lam)", "(1 - lam)"), "targets"),
        ("smoothed_crossentropy_gradient", ("logits.max(axis=1, keepdims=True)", "0"), "value"),
    ],
)
def test_one_fault_keeps_the_points_of_the_other_aspects(verdict, name, edit, aspect):
    wrong = answer(name, TASKS[name].model.replace(*edit))
    assert verdict(TASKS[name], wrong, aspect) is None
    assert verdict(TASKS[name], wrong) is not None


@pytest.mark.parametrize(
    ("name", "text", "mistake"),
    [
        ("cutmix", COPIED_BOX.format(AREA), "half a side on both sides"),
        ("smooth_labels", "np.clip(y, eps / (len(y[0]) - 1), 1 - eps)", None),
        (
            "mixup",
            """
            a, b = rng.permutation(len(x)), rng.permutation(len(x))
            lam = rng.beta(alpha, alpha)
            return lam * x + (1 - lam) * x[a], lam * y + (1 - lam) * y[b]
            """,
            "other partners for images and targets",
        ),
        (
            "expected_calibration_error",
            """
            c, hit = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
            parts = [(c > b / bins) & (c <= (b + 1) / bins) for b in range(bins)]
            return np.mean([abs(hit[i].mean() - c[i].mean()) for i in parts if i.any()])
            """,
            "every bin counts the same",
        ),
    ],
)
def test_what_others_have_written_is_refused_by_name(verdict, name, text, mistake):
    failed = verdict(TASKS[name], answer(name, text))
    assert failed is not None
    assert set(failed.mistakes) == ({mistake} if mistake else set())


def test_a_box_by_the_weight_that_was_drawn_is_refused(verdict):
    assert verdict(TASKS["cutmix"], answer("cutmix", COPIED_BOX.format("lam")), "targets")
