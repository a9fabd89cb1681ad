"""One body of code for NumPy arrays and for Keras's tensors."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np


def namespace(x: Any) -> ModuleType:
    """Return the module whose functions work on ``x``: NumPy, or ``keras.ops`` for its tensors.

    Keras is never imported here: whoever has one of its tensors has done so already.

    Examples
    --------
    >>> namespace(np.ones(3)).__name__
    'numpy'
    """
    if isinstance(x, (np.ndarray, np.generic, float, int)) or "keras" not in sys.modules:
        return np
    return sys.modules["keras"].ops
