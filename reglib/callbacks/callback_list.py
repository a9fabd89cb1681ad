"""Callbacks called together, those of Keras among them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from reglib.callbacks.averaging import SwapEMAWeights
from reglib.callbacks.base import NOTHING, Callback
from reglib.callbacks.monitors import monitor_comparison

if TYPE_CHECKING:
    pass


class CallbackList:
    """Several callbacks called as one.

    Parameters
    ----------
    callbacks : object or iterable
        Anything with the protocol's methods, of either library; one, or several in a list, which
        may hold lists.
    model : Model, optional
        Handed to each.
    params : dict
        ``verbose``, ``epochs``, ``steps``, handed to each.

    Raises
    ------
    TypeError
        If one is no object with these methods.
    """

    def __init__(self, callbacks: Any = (), model: Any = None, **params: Any) -> None:
        self.callbacks = [_for_us(callback) for callback in _each(callbacks)]
        for callback in self.callbacks:
            callback.set_params(params)
            if model is not None:
                callback.set_model(model)
                tell_direction(callback, model)

    def __getattr__(self, moment: str) -> Callable[..., None]:
        if not moment.startswith("on_"):
            raise AttributeError(moment)
        hooks = []
        for callback in self.callbacks:
            hooks.append(getattr(callback, moment))
            # Keras's callbacks pass a batch on to its other name themselves.
            if moment.startswith("on_train_batch") and isinstance(callback, Callback):
                hooks.append(getattr(callback, moment.replace("train_", "")))
        # A moment that nobody overrides costs nothing, even in the inner loop.
        hooks = [hook for hook in hooks if getattr(hook, "__func__", None) not in NOTHING]
        counted = "epoch" in moment or "batch" in moment

        def call_all(*arguments: Any) -> None:
            if hooks:
                # A callable stands for logs that are worked out only when somebody listens.
                arguments = tuple(a() if callable(a) else a for a in arguments)
                if len(arguments) <= counted:
                    # Logs are always given, as a hook may ask for them.
                    arguments = (*arguments, {})
            for hook in hooks:
                hook(*arguments)

        # Kept, so that the hooks are looked up once and not in every epoch.
        setattr(self, moment, call_all)
        return call_all


def _each(callbacks: Any) -> Iterator[Any]:
    """Yield the callbacks in a list and the lists within it; one may stand alone."""
    if isinstance(callbacks, str) or not hasattr(callbacks, "__iter__"):
        if isinstance(callbacks, type) or not hasattr(callbacks, "set_params"):
            raise TypeError(
                f"callbacks must be objects with the protocol, or a list of them, got {callbacks!r}"
            )
        yield callbacks
    else:
        for part in callbacks:
            yield from _each(part)


def _for_us(callback: Any) -> Any:
    """Return ours for a callback of Keras that changes Keras's variables; others as they are."""
    if type(callback).__name__ == "SwapEMAWeights" and not isinstance(callback, Callback):
        return SwapEMAWeights(callback.swap_on_epoch)
    return callback


def tell_direction(callback: Any, model: Any) -> None:
    """Tell a callback of Keras which way is better: it looks for Keras's metrics in the model."""
    watches = hasattr(callback, "monitor") and getattr(callback, "mode", None) == "auto"
    if isinstance(callback, Callback) or not watches:
        return
    # Where it cannot be known, Keras's callback says so itself.
    with contextlib.suppress(ValueError):
        better = monitor_comparison(callback.monitor, "auto", getattr(model, "metrics", ()))
        callback.mode = "min" if better is np.less else "max"
