"""Regularization in NumPy, under Keras's names."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from reglib._absent import refuse

__version__ = "0.1.0"

# The names that Keras has at the top, and where they are.
_AT_THE_TOP = {
    "Initializer": "initializers",
    "Input": "layers",
    "Layer": "layers",
    "Loss": "losses",
    "Metric": "metrics",
    "Model": "models",
    "Optimizer": "optimizers",
    "Regularizer": "regularizers",
    "Sequential": "models",
    "Variable": "layers",
}


def __getattr__(name: str) -> Any:
    """Import a module when it is first asked for: ``reglib.layers`` needs no import of its own."""
    if name in _AT_THE_TOP:
        return getattr(import_module(f"{__name__}.{_AT_THE_TOP[name]}"), name)
    if not name.startswith("_"):
        try:
            return import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{name}":
                raise
    return refuse(__name__, name)


def __dir__() -> list[str]:
    """Return what there is, modules not imported yet among it."""
    from pkgutil import iter_modules  # here, so that importing the library takes next to no time

    public = [module.name for module in iter_modules(__path__) if not module.name.startswith("_")]
    return sorted({*globals(), *_AT_THE_TOP, *public})
