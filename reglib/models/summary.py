"""A model as a table: its layers, the shapes of their outputs, and how many weights they have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from reglib._typing import Lengths

if TYPE_CHECKING:
    from reglib.models.base import BaseModel


def print_summary(
    model: BaseModel,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
) -> None:
    """Print the table, line by line.

    Parameters
    ----------
    model : Sequential or Model
        Where it is not built, shapes and numbers are not known yet.
    print_fn : callable, optional
        Takes a line; by default ``print``.
    expand_nested : bool
        Whether the layers of models within are listed too.
    show_trainable : bool
        Whether a column says which layers an optimizer may change.
    """
    show = print if print_fn is None else print_fn
    head = ["Layer (type)", "Output shape", "Params", "Trainable"]
    rows = [head, *_rows(model, expand_nested)]
    columns = range(4 if show_trainable else 3)
    widths = [max(len(row[column]) for row in rows) for column in columns]
    show(f'Model "{model.name}"')
    for number, row in enumerate(rows):
        cells = [row[i].rjust(widths[i]) if i == 2 else row[i].ljust(widths[i]) for i in columns]
        show("  " + "  ".join(cells))
        if number == 0:
            show("  " + "  ".join("-" * width for width in widths))
    if not model.built:
        show("  not built: it has no weights before its input shape is known")
        return
    trainable = sum(weight.value.size for weight in model.trainable_weights)
    total = model.count_params()
    show(f"  {total:,} weights: {trainable:,} trainable, {total - trainable:,} not")


def _rows(model: BaseModel, expand_nested: bool, indent: str = "") -> Iterator[list[str]]:
    shapes = model._shapes() if model.built else ((layer, None) for layer in model.layers)
    for layer, shape in shapes:
        number = "?" if shape is None else f"{layer.count_params():,}"
        trainable = "yes" if layer.trainable_weights else "no" if layer.weights else "-"
        title = f"{indent}{layer.name} ({type(layer).__name__})"
        yield [title, _shown(shape), number, trainable]
        if expand_nested and hasattr(layer, "model"):
            yield from _rows(layer.model, expand_nested, f"{indent}  ")


def _shown(shape: Lengths | None) -> str:
    return "?" if shape is None else "(" + ", ".join(map(str, shape)) + ")"
