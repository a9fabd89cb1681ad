"""A picture that waits until its reader has said what to expect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reglib._arguments import Function, arguments


@arguments(draw=Function())
def reveal(draw: Callable[[], Any], prediction: Any) -> None:
    """Draw a picture, once there is a prediction and the functions that it needs are written.

    Parameters
    ----------
    draw : callable
        Draws the picture.
    prediction : object
        What the reader expects, or None if nothing has been written down yet.

    Raises
    ------
    TypeError
        If ``draw`` is no function.

    Examples
    --------
    >>> reveal(lambda: None, None)
    First write down your prediction in the cell above; then run this cell.
    >>> reveal(lambda: None, "none of them")
    Your prediction: none of them
    """
    if prediction is None:
        print("First write down your prediction in the cell above; then run this cell.")
        return
    try:
        draw()
    except NotImplementedError:
        import matplotlib.pyplot as plt

        plt.close()
        print("This picture needs your functions, and one of them is not written yet.")
    else:
        print(f"Your prediction: {prediction}")
