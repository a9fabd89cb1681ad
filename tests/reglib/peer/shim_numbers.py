"""What Keras's tests of losses, metrics, initializers and activations ask for besides.

Where Keras computes in float32 unless it is told otherwise, reglib computes in the dtype of what
it is given. The tests expect float32 of a loss of their own, so theirs is told.
"""

from __future__ import annotations

import types

import ml_dtypes  # noqa: F401 - with it, NumPy knows bfloat16

import reglib.losses.base
import reglib.metrics
import reglib.metrics.confusion
from reglib.layers.base import Parameter


class Loss(reglib.losses.Loss):
    """A loss that computes in float32 by default."""

    def __init__(self, name=None, reduction="sum_over_batch_size", dtype=None):
        super().__init__(name, reduction, dtype or "float32")


def dtype_policy():
    """Return the policy in force: there is one, and it has no name."""


def set_dtype_policy(policy):
    if policy is not None:
        raise NotImplementedError(f"reglib has no policy {policy!r}")


def floatx_is_float32(dtype):
    if dtype != "float32":
        raise NotImplementedError(f"the tests run in float32, not {dtype}")


def _variables(metric):
    """A sum is one number, a mean two."""
    alone = isinstance(metric, reglib.metrics.Sum)
    return [metric.total] if alone else [metric.total, metric.count]


def _counts(metric):
    return [Parameter(getattr(metric, count), name=count) for count in metric.counts]


def _in_place_of_own(variables):
    """Return a property; the list of a metric of one's own, which is empty here, is let go."""
    return property(variables, lambda metric, own: None)


def dress():
    """Give metrics the list of numbers that Keras keeps in variables."""
    reglib.metrics.Mean.variables = _in_place_of_own(_variables)
    reglib.metrics.confusion.Confusion.variables = _in_place_of_own(_counts)


AUC_NAMES = {
    "AUCCurve": types.SimpleNamespace(ROC="ROC", PR="PR", PRGAIN="PRGAIN"),
    "AUCSummationMethod": types.SimpleNamespace(
        INTERPOLATION="interpolation", MINORING="minoring", MAJORING="majoring"
    ),
}
LOSS = {"Loss": Loss, "squeeze_or_expand_to_same_rank": reglib.losses.base.same_rank}
DTYPE_POLICY = {"dtype_policy": dtype_policy, "set_dtype_policy": set_dtype_policy}
METRICS = (
    "accuracy_metrics",
    "confusion_metrics",
    "correlation_metrics",
    "f_score_metrics",
    "hinge_metrics",
    "metric",
    "probabilistic_metrics",
    "reduction_metrics",
    "regression_metrics",
)
