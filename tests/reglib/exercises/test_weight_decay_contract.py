"""What assignment 4's contract promises beside what every contract does."""

import numpy as np

from reglib.exercises import weight_decay
from reglib.exercises._findings import GENERAL_MISTAKES
from reglib.textbook.weight_decay import adam_l2_step, adamw_step


def test_adam_alone_keeps_the_points_for_the_step_in_both_tasks(verdict):
    def plain(w, grad, m, v, t, lr, lam, beta1=0.9, beta2=0.999, eps=1e-8):
        return adamw_step(w, grad, m, v, t, lr, 0, beta1, beta2, eps)

    assert verdict(weight_decay.ADAM_L2_STEP, plain, "step") is None
    assert verdict(weight_decay.ADAMW_STEP, plain, "step") is None


def test_one_step_taken_for_the_other_loses_both_moments_and_decay(verdict):
    for task, other in (
        (weight_decay.ADAM_L2_STEP, adamw_step),
        (weight_decay.ADAMW_STEP, adam_l2_step),
    ):
        broken = {one.name for one in task.aspects if verdict(task, other, one.name)}
        assert len(broken) == 2
        assert "step" not in broken


def test_a_wrong_default_is_found(verdict):
    for name, wrong in (("beta1", 0.99), ("beta2", 0.99), ("eps", 1e-7)):

        def step(*arguments, name=name, wrong=wrong):
            few = {name: wrong} if len(arguments) == 7 else {}
            return adamw_step(*arguments, **few)

        assert verdict(weight_decay.ADAMW_STEP, step, "step") is not None


def test_a_column_of_zeros_that_becomes_nan_is_named(accused):
    def project(W, c, axis):
        norms = np.linalg.norm(W, axis=axis, keepdims=True)
        return W / norms * np.minimum(norms, c)

    named = accused(weight_decay.MAX_NORM_PROJECT, project)
    general = {mistake.name for mistake in GENERAL_MISTAKES}
    assert named - general == {weight_decay.ZERO_VECTOR.name}
