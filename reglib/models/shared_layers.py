"""Layers that a model uses more than once: one set of weights, and each use its own memory.

A layer keeps what its way back needs of one call. So a layer of several uses has that put aside
after each, and taken out again, in the reverse order, on the way back; there the gradients of
its weights add up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from reglib.layers.base import Layer, Node
from reglib.models.trainer import every_layer


class Uses:
    """The layers of a graph that are used more than once, and what they keep of each use.

    Parameters
    ----------
    nodes : sequence of Node
        Of the graph.

    Raises
    ------
    ValueError
        If a layer is within another one and elsewhere as well.

    Examples
    --------
    >>> from reglib.layers import Dense, Input
    >>> start, shared = Input((3,)), Dense(3)
    >>> Uses([shared(start), shared(shared(start)), Dense(1)(start)]).layers == {shared}
    True
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        number = Counter(node.layer for node in nodes)
        self.layers = {layer for layer in number if number[layer] > 1}
        places = Counter(every_layer(number))
        for layer in places:
            if places[layer] > 1:
                raise ValueError(f"layer {layer.name} must be in one place, got it in another too")
        self.begin()

    def begin(self) -> None:
        """Forget the last pass."""
        self._memories: dict[Node, list[tuple[Any, dict[str, Any]]]] = {}
        self._latest: dict[Layer, Node] = {}

    def call(self, node: Node, inputs: Any, **options: Any) -> Any:
        """Return the outputs of one use, and put aside what its way back needs."""
        family = every_layer([node.layer])
        earlier = [layer.activity_penalty for layer in family]
        outputs = node.layer(inputs, **options)
        if node.layer in self._latest:
            for layer, penalty in zip(family, earlier, strict=True):
                if layer.activity_regularizer is not None:
                    layer.activity_penalty += penalty
        self._latest[node.layer] = node
        self._memories[node] = _memory(family)
        return outputs

    def backward(
        self,
        node: Node,
        gradient: NDArray,
        wanted: bool,
        linked: bool,
        sums: dict[Layer, list[NDArray]],
    ) -> Any:
        """Go back through one use; add its weights' gradients to ``sums``."""
        _remember(self._memories[node])
        back = node.layer.propagate_back(gradient, wanted, linked)
        gradients = [parameter.gradient.copy() for parameter in node.layer.unfrozen_weights]
        for total, part in zip(sums.setdefault(node.layer, gradients), gradients, strict=True):
            if total is not part:
                total += part
        return back

    def end(self, sums: dict[Layer, list[NDArray]]) -> None:
        """Write the sums of the gradients; leave the layers as their latest use did."""
        for layer, totals in sums.items():
            for parameter, total in zip(layer.unfrozen_weights, totals, strict=True):
                parameter.gradient[...] = total
            _remember(self._memories[self._latest[layer]])


def _memory(family: Sequence[Layer]) -> list[tuple[Any, dict[str, Any]]]:
    """Return what layers, and the models within them, have in their attributes now."""
    models: list[Any] = [getattr(layer, "model", None) for layer in family]
    within = [model._uses for model in models if hasattr(model, "_uses")]
    return [(owner, vars(owner).copy()) for owner in (*family, *within)]


def _remember(memory: Sequence[tuple[Any, dict[str, Any]]]) -> None:
    for owner, attributes in memory:
        vars(owner).update(attributes)
