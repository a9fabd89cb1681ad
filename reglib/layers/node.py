"""What functional models are drawn with."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from reglib import config
from reglib._arguments import Flag, Instance, Integer, List, Shape, Text, arguments
from reglib._serialization import Described
from reglib._typing import Lengths
from reglib.layers.parameter import FLOATS

if TYPE_CHECKING:
    from reglib.layers.base import Layer


@arguments(
    layer=Instance(Described, "a layer"),
    parents=List("nodes"),
    shape=Shape(low=0),
    keyword=Text(),
    index=Integer(">= 0"),
    training=Flag(),
)
class Node:
    """What a layer will return: the stuff that a functional model is drawn with.

    Parameters
    ----------
    layer : Layer
        Which computes it.
    parents : tuple of Node
        What the layer is given.
    shape : tuple
        The shape of the array to come, batch axis included.
    keyword : str, optional
        The argument of the layer that all parents but the first are handed to, in a list: the
        ``initial_state`` of a recurrent layer. By default all parents are inputs.
    index : int, optional
        Which of several outputs it is, where a layer returns a list; its parent is the node of
        them all.
    training : bool, optional
        What the layer was told when it was called: it holds wherever a model is not told
        otherwise. ``Dropout(0.5)(node, training=True)`` is noise that ``model(x)`` keeps.

    Notes
    -----
    Nodes can be added, subtracted and multiplied: ``trunk + branch`` is ``Add()([trunk,
    branch])``. With a number, ``trunk + 0.1 * branch``, it is a ``Rescaling``.
    """

    options = ("keyword", "index", "training")  # what is written down, where it is not None
    __array_ufunc__ = None  # a number of NumPy leaves it to the node what to do with it

    def __init__(
        self,
        layer: Layer,
        parents: tuple[Node, ...],
        shape: Lengths,
        keyword: str | None = None,
        index: int | None = None,
        training: bool | None = None,
    ) -> None:
        self.layer = layer
        self.parents = tuple(parents)
        for parent in self.parents:
            Instance(Node, "nodes").check("parents", parent)
        self.shape = shape
        self.keyword = keyword
        self.index = index
        self.training = training
        if getattr(layer, "first_node", self) is None and index is None:
            layer.first_node = self

    def __array_function__(self, function: Any, *_: Any) -> Any:
        """Answer for the shape; refuse the other functions of NumPy: there are no numbers yet."""
        if function in (np.shape, np.ndim):
            return self.shape if function is np.shape else len(self.shape)
        raise TypeError(
            f"{function.__name__} takes arrays, got {self!r}: a graph is drawn of layers. Put the "
            "calculation into the call of a Layer of your own, with a backward beside it"
        )

    def hand_out(self, values: Sequence[Any]) -> tuple[Any, dict[str, Any]]:
        """Return one value a parent as the layer takes them: inputs, and what goes by name."""
        if self.keyword is not None:
            return values[0], {self.keyword: list(values[1:])}
        return (values[0] if len(values) == 1 else list(values)), {}

    def __add__(self, other: Node | float) -> Node:
        return self._merged("Add", other) if isinstance(other, Node) else self._rescaled(1, other)

    __radd__ = __add__

    def __sub__(self, other: Node | float) -> Node:
        if isinstance(other, Node):
            return self._merged("Add", -other)
        return self._rescaled(1, other, sign=-1)

    def __rsub__(self, other: float) -> Node:
        return self._rescaled(-1, other)

    def __mul__(self, other: Node | float) -> Node:
        return self._merged("Multiply", other) if isinstance(other, Node) else self._rescaled(other)

    __rmul__ = __mul__

    def __truediv__(self, other: float) -> Node:
        return self._rescaled(1 / other) if isinstance(other, Real) else NotImplemented

    def __neg__(self) -> Node:
        return self._rescaled(-1)

    # The layers that nodes are calculated with are found by their names: they lie above.

    def _merged(self, name: str, other: Node) -> Node:
        """Return the node of a merging layer, as precise as the more precise of both."""
        dtype = max(_float_of(self), _float_of(other))
        merged: Node = self.layer.library[name](dtype=dtype)([self, other])
        return merged

    def _rescaled(self, scale: Any, offset: Any = 0, sign: int = 1) -> Node:
        """Return the node times ``scale``, plus or minus ``offset``, where both are numbers."""
        if not (isinstance(scale, Real) and isinstance(offset, Real)):
            return NotImplemented
        rescaling = self.layer.library["Rescaling"]
        return rescaling(float(scale), sign * float(offset), dtype=_float_of(self))(self)

    def __repr__(self) -> str:
        return f"<Node of {self.layer.name}, shape={self.shape}>"


def _float_of(node: Node) -> str:
    """Return the dtype that is calculated with: integers become floats."""
    dtype = node.layer.dtype
    return dtype if dtype in FLOATS else config.floatx()
