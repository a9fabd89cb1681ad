"""What a pass through the data is logged as: running means of loss and penalty, and metrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import metrics
from reglib._arguments import List
from reglib._validation import naming
from reglib.models.inputs_and_outputs import Data


class RunningMeans:
    """Running means of loss, penalty and metrics over the examples seen."""

    def __init__(self, metrics: Iterable[Any], weighted: Sequence[Any]) -> None:
        self.metrics, self.weighted = list(metrics), weighted
        self.plain = [metric for metric in self.metrics if metric not in weighted]
        for metric in self.metrics:
            metric.reset_state()
        self.examples = 0
        self.data_loss = 0.0
        self.penalty: float | None = None

    def add(
        self,
        data_loss: float,
        penalty: float | None,
        outputs: Data,
        x: Data,
        y: Data | None,
        weight: NDArray | None,
    ) -> None:
        """Add a batch."""
        number = len(x)
        self.examples += number
        self.data_loss += number * data_loss
        if penalty is not None:
            self.penalty = (self.penalty or 0.0) + number * penalty
        for metric in self.plain:
            metric.update_state(y, outputs)
        for metric in self.weighted:
            metric.update_state(y, outputs, weight)

    def logs(self) -> dict[str, float]:
        """Return the means so far by name."""
        data_loss = self.data_loss / self.examples
        logs = {"loss": data_loss}
        if self.penalty is not None:
            penalty = self.penalty / self.examples
            logs = {"loss": data_loss + penalty, "data_loss": data_loss, "penalty": penalty}
        return logs | {metric.name: _plain(metric.result()) for metric in self.metrics}


def _plain(result: Any) -> Any:
    """Return a number as Python's own; a metric may have several, or hold one in a variable."""
    return result if isinstance(result, float) or np.ndim(result) else float(result)


def metrics_of(name: str, given: Any) -> list[Any]:
    """Return the metrics that an argument of ``compile`` names.

    Raises
    ------
    TypeError
        If it is no list of metrics.
    ValueError
        If a name is unknown.
    """
    with naming(name):
        watched = List("metrics").check(name, () if given is None else given)
        if None in watched:
            raise TypeError("metrics must be names, classes or objects, got None")
        return [metrics.get(metric) for metric in watched]


def tell_apart(plain: Iterable[metrics.Metric], weighted: Iterable[metrics.Metric]) -> None:
    """Give metrics of one name another or a number, as Keras does: names are keys of the logs.

    A second ``mse`` is ``mse_1``; one that is weighted is ``weighted_mse``, and only the next
    ``weighted_mse_1``.
    """
    taken: set[str] = set()
    for metric, is_weighted in [*((m, False) for m in plain), *((m, True) for m in weighted)]:
        metric.given_name = name = getattr(metric, "given_name", metric.name)
        if is_weighted and name in taken:
            name = getattr(metric, "weighted_name", f"weighted_{name}")
        metric.name, number = name, 0
        while metric.name in taken:
            number += 1
            metric.name = f"{name}_{number}"
        taken.add(metric.name)
