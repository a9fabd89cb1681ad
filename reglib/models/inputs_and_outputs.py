"""Models of several inputs or outputs: their ends by name, data cut together, a joint loss."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import losses, metrics
from reglib._arguments import Instance, Number
from reglib._typing import ArrayLike
from reglib._validation import naming
from reglib.layers.base import Node


class Bundle:
    """Several arrays of equally many examples, to be cut as if they were one."""

    def __init__(self, arrays: Iterable[NDArray]) -> None:
        self.arrays = list(arrays)

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, part: slice) -> Bundle:
        return Bundle(array[part] for array in self.arrays)


Data = NDArray | Bundle


def arrays_of(data: Data) -> list[NDArray]:
    """Return the arrays of a bundle, or the one array in a list."""
    return data.arrays if isinstance(data, Bundle) else [data]


def map_arrays(function: Callable[..., NDArray], *data: Any) -> Data:
    """Return a function of arrays, or of the arrays of bundles, one after the other."""
    if isinstance(data[0], Bundle):
        return Bundle(map(function, *(bundle.arrays for bundle in data)))
    return function(*data)


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """Return a function of a thing, or of each in a list or dict, in the same structure."""
    if isinstance(structure, Mapping) and "class_name" not in structure:
        return {name: function(thing) for name, thing in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)(map(function, structure))
    return function(structure)


class Ends:
    """The inputs or the outputs of a model: a node, or a list or dict of nodes.

    Parameters
    ----------
    what : str
        ``"inputs"`` or ``"outputs"``.
    structure : Node, list, tuple or dict of Node
        As the model was given them.

    Raises
    ------
    TypeError
        If there is something else than nodes in it.
    ValueError
        If there is nothing in it.
    """

    def __init__(self, what: str, structure: Any) -> None:
        self.what, self.structure = what, structure
        if isinstance(structure, Mapping):
            self.nodes, names = list(structure.values()), list(structure)
        else:
            several = isinstance(structure, (list, tuple))
            self.nodes, names = list(structure) if several else [structure], None
        if not self.nodes:
            raise ValueError(f"{what} must hold a node, got {structure}")
        for node in self.nodes:
            Instance(Node, "a node from layers.Input and layers called on it, or nodes").check(
                what, node
            )
        self.names = names or [node.layer.name for node in self.nodes]

    def __len__(self) -> int:
        return len(self.nodes)

    def arrange(self, values: Sequence[Any]) -> Any:
        """Return one value an end as a user gets them: as in Keras, one in a list comes alone."""
        alone = len(self) == 1 and not isinstance(self.structure, Mapping)
        return values[0] if alone else self.structured(values)

    def structured(self, values: Sequence[Any]) -> Any:
        """Return one value an end in the structure of the ends."""
        if isinstance(self.structure, Mapping):
            return dict(zip(self.structure, values, strict=True))
        if isinstance(self.structure, (list, tuple)):
            return type(self.structure)(values)
        return values[0]

    def values(self, name: str, given: Any, missing: bool = False) -> list[Any]:
        """Return one value an end, given a list in their order, or a dict by their names.

        Raises
        ------
        TypeError
            If it is neither.
        ValueError
            If their number or a name is wrong; with ``missing``, a dict may leave some out.
        """
        if isinstance(given, Mapping):
            unknown, left = set(given) - set(self.names), set(self.names) - set(given)
            if unknown or (left and not missing):
                raise ValueError(
                    f"{name} must have the names of the {self.what}, {', '.join(self.names)}, "
                    f"got {', '.join(map(str, given))}"
                )
            return [given.get(key) for key in self.names]
        Instance((list, tuple), f"a list or a dict, one for each of {self}").check(name, given)
        if len(given) != len(self):
            raise ValueError(
                f"{name} must be {len(self)}, one for each of {self}, got {len(given)}"
            )
        return list(given)

    def __str__(self) -> str:
        return f"the {self.what} {', '.join(self.names)}"

    def data(self, name: str, given: Any, check: Callable[[str, Any], Any]) -> Data:
        """Return checked arrays, one an end, as a bundle; for one end it is an array."""
        if len(self) == 1:
            return check(name, self.values(name, given)[0] if self.holds(given) else given)
        values = self.values(name, given)
        bundle = Bundle(
            check(f"{name}[{key!r}]", value) for key, value in zip(self.names, values, strict=True)
        )
        numbers = [len(array) if array.ndim else 0 for array in bundle.arrays]
        if len(set(numbers)) > 1:
            raise ValueError(f"{name} must be of equally many examples, got {numbers}")
        return bundle

    def only(self, name: str, given: Any) -> Any:
        """Return what is given for a single end, out of the list or dict around it."""
        described = isinstance(given, Mapping) and "class_name" in given
        if isinstance(given, (list, tuple, Mapping)) and not described:
            given = _alone(self.values(name, given)[0])
        return given

    def holds(self, given: Any) -> bool:
        """Return whether what is given for a single end is a list or dict around it."""
        return isinstance(given, Mapping) or (
            isinstance(self.structure, (list, tuple, Mapping))
            and isinstance(given, (list, tuple))
            and len(given) == 1
        )


class JointLoss:
    r"""The weighted sum of a loss for each output: :math:`\sum_k w_k L_k(y_k, \hat y_k)`.

    Parameters
    ----------
    outputs : Ends
        The outputs.
    loss : loss, name, list or dict
        One for all outputs, a list in their order or a dict by their names; an output
        without one is not trained.
    weights : list or dict of float, optional
        Of the losses; by default 1.

    References
    ----------
    Caruana (1997), "Multitask learning".
    """

    def __init__(self, outputs: Ends, loss: Any, weights: Any = None) -> None:
        if not isinstance(loss, (list, tuple, Mapping)) or "class_name" in loss:
            loss = [loss] * len(outputs)
        found = outputs.values("loss", loss, missing=True)
        self.losses = [losses.get(_alone(loss)) for loss in found]
        self.names = outputs.names
        self.weights = [1.0] * len(outputs)
        if weights is not None:
            self.weights = [
                1.0 if weight is None else Number(">= 0").check("loss_weights", weight)
                for weight in outputs.values("loss_weights", weights, missing=True)
            ]

    def value_and_gradient(
        self, y: Bundle, outputs: Bundle, sample_weight: ArrayLike | None = None, **_: Any
    ) -> tuple[float, Bundle]:
        """Return the sum and its gradient with respect to each output."""
        self.latest, gradients = [], []
        for loss, weight, target, output in self._each(y, outputs):
            value, gradient = 0.0, np.zeros_like(output)
            if loss is not None:
                value, gradient = loss.value_and_gradient(target, output, sample_weight)
            self.latest.append(float(value))
            gradients.append(weight * gradient)
        return self._sum(), Bundle(gradients)

    def __call__(self, y: Bundle, outputs: Bundle, sample_weight: ArrayLike | None = None) -> float:
        """Return the sum."""
        self.latest = [
            0.0 if loss is None else float(loss(target, output, sample_weight))
            for loss, _, target, output in self._each(y, outputs)
        ]
        return self._sum()

    def _sum(self) -> float:
        return sum(w * value for w, value in zip(self.weights, self.latest, strict=True))

    def gradient(
        self, y: Bundle, outputs: Bundle, sample_weight: ArrayLike | None = None
    ) -> Bundle:
        """Return the gradient with respect to each output."""
        return self.value_and_gradient(y, outputs, sample_weight)[1]

    def _each(self, y: Bundle, outputs: Bundle) -> zip:
        return zip(self.losses, self.weights, y.arrays, outputs.arrays, strict=True)

    def get_config(self) -> dict[str, Any]:
        """Return losses and weights as plain data, in the order of the outputs."""
        return {
            "loss": [losses.serialize(loss) for loss in self.losses],
            "loss_weights": list(self.weights),
        }

    def watches(self) -> list[LatestLoss]:
        """Return a metric for the loss of each output, ``NAME_loss``."""
        trained = [number for number, loss in enumerate(self.losses) if loss is not None]
        if len(trained) < 2:
            return []
        return [LatestLoss(self, number, f"{self.names[number]}_loss") for number in trained]


class LatestLoss:
    """A metric: the mean of one output's loss over the examples of all batches."""

    _direction = "down"

    def __init__(self, joint: JointLoss, number: int, name: str) -> None:
        self.joint, self.number, self.name = joint, number, name
        self.reset_state()

    def reset_state(self) -> None:
        """Forget what was seen."""
        self.total, self.count = 0.0, 0

    def update_state(self, y_true: Bundle, y_pred: Bundle, sample_weight: Any = None) -> None:
        """Add the batch that the joint loss was called with last."""
        self.total += len(y_pred) * self.joint.latest[self.number]
        self.count += len(y_pred)

    def result(self) -> float:
        """Return the mean so far, 0 when nothing was seen."""
        return self.total / self.count if self.count else 0.0

    def __call__(self, y_true: Bundle, y_pred: Bundle) -> float:
        """Add a batch and return the mean so far."""
        self.update_state(y_true, y_pred)
        return self.result()


class OutputMetric:
    """A metric of one of several outputs, under the name of both."""

    def __init__(self, metric: metrics.Metric, number: int, output: str) -> None:
        self.metric, self.number = metric, number
        self.name = f"{output}_{metric.name}"
        self.weighted_name = f"{output}_weighted_{metric.name}"  # beside one of that name
        self._direction = metric._direction
        self.reset_state, self.result = metric.reset_state, metric.result

    def update_state(
        self, y_true: Bundle, y_pred: Bundle, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch."""
        i = self.number
        self.metric.update_state(y_true.arrays[i], y_pred.arrays[i], sample_weight)

    def __call__(self, y_true: Bundle, y_pred: Bundle) -> float:
        """Add a batch and return the mean so far."""
        self.update_state(y_true, y_pred)
        return self.result()


def output_metrics(outputs: Ends, given: Any, name: str = "metrics") -> list[OutputMetric]:
    """Return the metrics of each output, from a list in their order or a dict by their names.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If a name is unknown.
    """
    if given is None:
        return []
    found = []
    for number, of_one in enumerate(outputs.values(name, given, missing=True)):
        for metric in several(of_one):
            end = outputs.names[number]
            with naming(f"{name} of {end}"):
                watched: Any = metrics.get(metric)
            found.append(OutputMetric(watched, number, end))
    return found


def several(given: Any) -> Sequence[Any]:
    """Return what is given in a list: nothing, one thing or several."""
    if given is None:
        return ()
    return given if isinstance(given, (list, tuple)) else (given,)


def _alone(given: Any) -> Any:
    """Return what is alone in a list, and anything else as it is."""
    return given[0] if isinstance(given, (list, tuple)) and len(given) == 1 else given


def names_by_output(loss: JointLoss, watched: Sequence[Any]) -> list[list[Any]]:
    """Return the names of each output's metrics, without those of the losses."""
    return [
        [described(m.metric) for m in watched if isinstance(m, OutputMetric) and m.number == number]
        for number in range(len(loss.losses))
    ]


def described(metric: metrics.Metric) -> str | dict[str, Any]:
    """Return a metric's name where that says all, and else its description, as plain data."""
    name = getattr(metric, "given_name", metric.name)
    # What a function measures cannot be written down.
    if type(metric) is metrics.MeanMetricWrapper or not hasattr(metric, "get_config"):
        return name
    description: Any = metrics.serialize(metric)
    description["config"] = {**description["config"], "name": name}
    try:
        usual: Any = metrics.get(name)
    except ValueError:
        return description
    same = type(usual) is type(metric) and usual.get_config() == description["config"]
    return name if same else description
