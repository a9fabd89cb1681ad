"""The call that went wrong, to look at: its arguments, what came and what was expected."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reglib.exercises._naming import argument_names
from reglib.exercises._student_function import copied, shape_of

if TYPE_CHECKING:
    from reglib.exercises._messages import CheckFailed
    from reglib.exercises._task import Task


@dataclass(frozen=True)
class Shown:
    """What a function was called with, what it returned and what it should return.

    Parameters
    ----------
    arguments : dict
        By name, to call the function again: ``f(*shown.arguments.values())``.
    came, expected : object
        What the function returns for them, and the right result; where that does not follow from
        the arguments alone, what was compared.
    """

    arguments: dict[str, Any]
    came: Any
    expected: Any

    def __repr__(self) -> str:
        """Return what there is, large arrays by their rims: a notebook shows it below a picture."""
        with np.printoptions(threshold=40, edgeitems=2, precision=4):
            return f"arguments: {self.arguments}\ncame: {self.came}\nexpected: {self.expected}"

    @classmethod
    def of(cls, failed: CheckFailed, task: Task, function: Any) -> Shown | None:
        """Return the first finding that has values, drawn if it is an image or a curve."""
        for finding in failed.findings:
            if finding.arguments is not None:
                came, expected = finding.result, finding.wanted
                if not isinstance(function, type) and all(map(_is_data, finding.arguments)):
                    came = function(*copied(finding.arguments))
                    expected = task.reference(*copied(finding.arguments))
                names = argument_names(task.signature)
                shown = cls(dict(zip(names, finding.arguments, strict=False)), came, expected)
                with contextlib.suppress(ImportError):  # no matplotlib: the values remain
                    shown.draw()
                return shown
        return None

    def draw(self) -> None:
        """Draw image and image, or curve and curve, side by side; nothing else has a picture."""
        expected = self.expected
        if not isinstance(expected, np.ndarray) or shape_of(self.came) != expected.shape:
            return
        came, first = np.asarray(self.came), next(iter(self.arguments.values()))
        import matplotlib.pyplot as plt

        panels = {"what came": came, "expected": expected}
        if isinstance(first, np.ndarray) and _is_image(first) and _is_image(came):
            panels = {"the input": first, **panels}
            _, axes = plt.subplots(1, 3, figsize=(7, 2.6))
            for ax, (title, image) in zip(axes, panels.items(), strict=True):
                ax.imshow(image, cmap="gray", vmin=0, vmax=1)
                ax.set(title=title, xticks=[], yticks=[])
        elif came.ndim == 1:
            _, ax = plt.subplots(figsize=(5, 2.6))
            for (title, curve), style in zip(panels.items(), ("o-", "x--"), strict=True):
                ax.plot(curve, style, label=title)
            ax.set(xlabel="entry")
            ax.legend()
        else:
            return
        plt.show()


def _is_data(argument: Any) -> bool:
    """Say whether an argument gives the same at every call, as functions and generators do not."""
    if isinstance(argument, (list, tuple)):
        return all(map(_is_data, argument))
    return isinstance(argument, (int, float, np.ndarray))


def _is_image(array: np.ndarray) -> bool:
    return array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
