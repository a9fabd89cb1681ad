"""The functions of the textbooks: examples are columns, weights live in a ``parameters`` dict.

Each module is a topic: :mod:`~reglib.textbook.network` (a plain network, any depth),
:mod:`~reglib.textbook.shrinkage` (L2), :mod:`~reglib.textbook.sparsity` (L1),
:mod:`~reglib.textbook.dropout`, :mod:`~reglib.textbook.stopping` and
:mod:`~reglib.textbook.images`. All public names can be imported from here.

A topic is loaded when one of its names is first asked for. So a course can let students use the
plain network while the answers of its exercises stay out of reach.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_TOPICS = {
    "network": (
        "backward_propagation",
        "compute_cost",
        "forward_propagation",
        "initialize_parameters",
        "relu",
        "sigmoid",
        "update_parameters",
    ),
    "shrinkage": (
        "backward_propagation_with_regularization",
        "compute_cost_with_regularization",
        "l2_penalty",
        "map_lambda",
        "ridge_closed_form",
    ),
    "sparsity": ("elastic_net_penalty", "l1_penalty", "proximal_step", "soft_threshold"),
    "dropout": (
        "backward_propagation_with_dropout",
        "dropout_backward",
        "dropout_forward",
        "forward_propagation_with_dropout",
        "is_frozen",
        "mc_dropout_predict",
    ),
    "stopping": ("EarlyStopping", "gradient_descent_shrinkage", "stop_epoch"),
    "images": (
        "adjust_contrast",
        "horizontal_flip",
        "label_safe",
        "random_crop",
        "rotate",
        "shift",
        "zoom",
    ),
}
_HOMES = {name: topic for topic, names in _TOPICS.items() for name in names}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
