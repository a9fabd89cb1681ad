"""The one global setting: the dtype that layers use when they are told nothing else."""

from __future__ import annotations

from functools import partial

from reglib._absent import refuse
from reglib._arguments import Choice, arguments

_floatx = "float32"


def floatx() -> str:
    """Return the default dtype of layers and models, ``"float32"`` unless changed.

    Examples
    --------
    >>> floatx()
    'float32'
    """
    return _floatx


@arguments(dtype=Choice("float32", "float64"))
def set_floatx(dtype: str) -> None:
    """Set the default dtype of layers and models that are created from now on.

    Parameters
    ----------
    dtype : str
        ``"float32"`` (fast, Keras's default) or ``"float64"`` (for gradient checks).

    Raises
    ------
    ValueError
        If ``dtype`` is another one.
    """
    global _floatx
    _floatx = dtype


def epsilon() -> float:
    """Return the small number that keeps quotients and logarithms finite, as in Keras.

    Examples
    --------
    >>> epsilon()
    1e-07
    """
    return 1e-7


__getattr__ = partial(refuse, __name__)
