"""What assignment 3's contract promises beside what every contract does."""

import numpy as np

from reglib.exercises import l1
from reglib.textbook.sparsity import proximal_step


def test_a_plain_gradient_step_keeps_the_points_for_the_step(verdict):
    assert verdict(l1.PROXIMAL_STEP, lambda w, grad, lr, lam: w - lr * grad, "step") is None


def test_the_subgradient_never_rests_at_zero_and_the_proximal_step_does():
    w = proximal = np.array([1.0, 0.05])
    for _ in range(50):
        w = w - 0.1 * (np.array([0.2, 0.0]) + 0.3 * np.sign(w))
        proximal = proximal_step(proximal, np.array([0.2, 0.0]), 0.1, 0.3)
    assert np.count_nonzero(w) == 2
    assert proximal[1] == 0
