"""How far a model has come in training, so that one that is loaded goes on from there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.models.trainer import Trainer, every_layer
from reglib.optimizers import Block

_STATE = "optimizer_"


def taken(model: Trainer) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Return how far a model has come, as plain data and as arrays by their names.

    That is the state of its random generators, and of its optimizer: the batches done and what
    it remembers of gradients, for which weights, and which weights do not decay.
    """
    progress: dict[str, Any] = {"generators": [_generator_state(owner) for owner in _random(model)]}
    optimizer = model.optimizer
    if optimizer is None:
        return progress, {}
    state, learning = optimizer.state(), model.trainable_weights
    if optimizer.block is None or not optimizer.block.holds(learning):
        # The next step would begin its memory anew: it is of other weights, or of none.
        state, learning = {"batches": state["batches"]}, []
    place = {id(weight): number for number, weight in enumerate(model.weights)}
    progress["learning"] = [place[id(weight)] for weight in learning]
    progress["undecayed"] = [place[id(w)] for w in model.weights if not optimizer.decays(w)]
    return progress, {f"{_STATE}{name}": memory for name, memory in state.items()}


def resume(model: Trainer, progress: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> None:
    """Bring a model that was built and compiled alike to where :func:`taken` found another.

    Raises
    ------
    LookupError, TypeError, ValueError
        If it is the progress of another model.
    """
    for owner, state in zip(_random(model), progress["generators"], strict=True):
        if state is not None:
            owner.generator.bit_generator.state = state
    if model.optimizer is None:
        return
    weights = model.weights
    model.optimizer.exclude_from_weight_decay([weights[place] for place in progress["undecayed"]])
    if progress["learning"]:
        model.optimizer.build(Block([weights[place] for place in progress["learning"]]))
    model.optimizer.set_state(
        {n.removeprefix(_STATE): memory for n, memory in arrays.items() if n.startswith(_STATE)}
    )


def _random(model: Trainer) -> list[Any]:
    """Return what draws at random: the model, which shuffles, and its layers."""
    return [model, *every_layer(model.layers)]


def _generator_state(owner: Any) -> Mapping[str, Any] | None:
    """Return the state of a generator as plain data; None of a kind that has arrays in it."""
    bits = owner.generator.bit_generator
    return bits.state if isinstance(bits, np.random.PCG64) else None
