"""What to watch beside the loss: numbers gathered over a pass through the data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from reglib import _serialization
from reglib._absent import refuse
from reglib.metrics.accuracy import Accuracy as Accuracy
from reglib.metrics.accuracy import AccuracyByShape as AccuracyByShape
from reglib.metrics.accuracy import BinaryAccuracy as BinaryAccuracy
from reglib.metrics.accuracy import CategoricalAccuracy as CategoricalAccuracy
from reglib.metrics.accuracy import SparseCategoricalAccuracy as SparseCategoricalAccuracy
from reglib.metrics.accuracy import SparseTopKCategoricalAccuracy as SparseTopKCategoricalAccuracy
from reglib.metrics.accuracy import TopKCategoricalAccuracy as TopKCategoricalAccuracy
from reglib.metrics.accuracy import binary_accuracy as binary_accuracy
from reglib.metrics.accuracy import categorical_accuracy as categorical_accuracy
from reglib.metrics.accuracy import sparse_categorical_accuracy as sparse_categorical_accuracy
from reglib.metrics.accuracy import (
    sparse_top_k_categorical_accuracy as sparse_top_k_categorical_accuracy,
)
from reglib.metrics.accuracy import top_k_categorical_accuracy as top_k_categorical_accuracy
from reglib.metrics.base import Mean as Mean
from reglib.metrics.base import MeanMetricWrapper as MeanMetricWrapper
from reglib.metrics.base import Metric as Metric
from reglib.metrics.base import Sum as Sum
from reglib.metrics.confusion import FalseNegatives as FalseNegatives
from reglib.metrics.confusion import FalsePositives as FalsePositives
from reglib.metrics.confusion import Precision as Precision
from reglib.metrics.confusion import Recall as Recall
from reglib.metrics.confusion import TrueNegatives as TrueNegatives
from reglib.metrics.confusion import TruePositives as TruePositives
from reglib.metrics.curves import AUC as AUC
from reglib.metrics.errors import BinaryCrossentropy as BinaryCrossentropy
from reglib.metrics.errors import CategoricalCrossentropy as CategoricalCrossentropy
from reglib.metrics.errors import MeanAbsoluteError as MeanAbsoluteError
from reglib.metrics.errors import MeanAbsolutePercentageError as MeanAbsolutePercentageError
from reglib.metrics.errors import MeanSquaredError as MeanSquaredError
from reglib.metrics.errors import RootMeanSquaredError as RootMeanSquaredError
from reglib.metrics.errors import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy
from reglib.metrics.scores import F1Score as F1Score
from reglib.metrics.scores import FBetaScore as FBetaScore
from reglib.metrics.scores import R2Score as R2Score

_REGISTRY: dict[str, type[Metric]] = {
    name: cls
    for cls, *names in (
        (Accuracy,),
        (AccuracyByShape, "accuracy", "acc"),
        (BinaryAccuracy, "binary_accuracy"),
        (CategoricalAccuracy, "categorical_accuracy"),
        (SparseCategoricalAccuracy, "sparse_categorical_accuracy"),
        (TopKCategoricalAccuracy, "top_k_categorical_accuracy"),
        (SparseTopKCategoricalAccuracy, "sparse_top_k_categorical_accuracy"),
        (MeanSquaredError, "mean_squared_error", "mse", "MSE"),
        (RootMeanSquaredError, "root_mean_squared_error", "rmse", "RMSE"),
        (MeanAbsoluteError, "mean_absolute_error", "mae", "MAE"),
        (MeanAbsolutePercentageError, "mean_absolute_percentage_error", "mape", "MAPE"),
        (BinaryCrossentropy, "binary_crossentropy", "bce", "BCE"),
        (CategoricalCrossentropy, "categorical_crossentropy"),
        (SparseCategoricalCrossentropy, "sparse_categorical_crossentropy"),
        (AUC, "auc"),
        (FalseNegatives, "false_negatives"),
        (FalsePositives, "false_positives"),
        (Precision, "precision"),
        (Recall, "recall"),
        (TrueNegatives, "true_negatives"),
        (TruePositives, "true_positives"),
        (F1Score, "f1_score"),
        (FBetaScore, "fbeta_score"),
        (R2Score, "r2_score"),
        (Mean, "mean"),
        (Sum, "sum"),
    )
    for name in (cls.__name__, *names)
}


def get(identifier: Any) -> Metric | None:
    """Return the metric that ``identifier`` means; a name is also its key in the logs.

    A function of targets and predictions means the mean of what it returns.

    Raises
    ------
    ValueError
        If the name is unknown or the identifier is of no use.

    Examples
    --------
    >>> get("mse")([[0.0]], [[3.0]])
    9.0
    """
    metric = _serialization.get(identifier, _REGISTRY, "metric")
    if callable(metric) and not hasattr(metric, "update_state"):
        metric = MeanMetricWrapper(metric)
    if isinstance(identifier, str):
        metric.name = identifier
    return metric


def serialize(metric: Metric) -> dict[str, Any] | None:
    """Return Keras's description of a metric, as plain data."""
    return _serialization.serialize(metric, "metrics")


def deserialize(config: Mapping[str, Any]) -> Metric:
    """Return the metric that Keras's description means."""
    return _serialization.deserialize(config, _REGISTRY, "metric")


__getattr__ = partial(refuse, __name__)
