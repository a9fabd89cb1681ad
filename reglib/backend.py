"""What programs ask Keras's backend for: here it is NumPy."""

from __future__ import annotations

from functools import partial

from reglib._absent import refuse
from reglib.config import epsilon as epsilon
from reglib.config import floatx as floatx
from reglib.config import set_floatx as set_floatx
from reglib.utils import clear_session as clear_session


def backend() -> str:
    """Return the name of the library that computes.

    Examples
    --------
    >>> backend()
    'numpy'
    """
    return "numpy"


__getattr__ = partial(refuse, __name__)
