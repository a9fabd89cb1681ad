"""Random generators as plain values: what draws, its state, and the seed that `spawn` goes on from.

NumPy trusts the states that it is given, so nothing is made of one before it has been checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrade.rpc import WireError

__all__ = [
    *("KINDS", "bits_from", "checked_bits", "legacy_from", "plain_of", "sequence_from"),
]

#: What `plain_of` knows.
KINDS = (
    np.random.Generator,
    np.random.RandomState,
    np.random.BitGenerator,
    np.random.SeedSequence,
)
_BIT_GENERATORS: dict[str, type] = {
    "PCG64": np.random.PCG64,
    "PCG64DXSM": np.random.PCG64DXSM,
    "MT19937": np.random.MT19937,
    "Philox": np.random.Philox,
    "SFC64": np.random.SFC64,
}
#: Words of a seed, and of the pool that it is mixed in, whose cost is their number squared.
_MAX_WORDS, _MAX_POOL = 10_000, 256


def plain_of(value: Any) -> tuple[Any, ...] | None:
    """Return the codec's tag for a generator and what follows it, None of one that cannot cross.

    What follows may be a bit generator, which is to be put the same way.
    """
    if isinstance(value, np.random.BitGenerator):
        if not _is_known(value):
            return None
        return b"B", type(value).__name__, _plain(value.state), _plain_seed(value.seed_seq)
    if isinstance(value, np.random.SeedSequence):
        seed = _plain_seed(value)
        return None if seed is None else (b"Q", seed)
    legacy = isinstance(value, np.random.RandomState)
    bits = value._bit_generator if legacy else value.bit_generator
    if not _is_known(bits):
        return None
    if not legacy:
        return b"G", bits
    state = value.get_state(legacy=False)
    return b"R", bits, (int(state["has_gauss"]), float(state["gauss"]))


def _is_known(bits: np.random.BitGenerator) -> bool:
    return _BIT_GENERATORS.get(type(bits).__name__) is type(bits)


def bits_from(name: Any, state: Any, seed: Any) -> np.random.BitGenerator:
    """Return the bit generator of that name, state and seed."""
    if type(name) is not str or name not in _BIT_GENERATORS:
        raise WireError("malformed value: unknown bit generator")
    _check_state(name, state)
    bits = _BIT_GENERATORS[name](_Unknown() if seed is None else sequence_from(seed))
    bits.state = state
    return bits


def checked_bits(value: Any) -> np.random.BitGenerator:
    """Return a value that is a bit generator."""
    if not isinstance(value, np.random.BitGenerator):
        raise WireError("malformed value: not a bit generator")
    return value


def legacy_from(value: Any, gauss: Any) -> np.random.RandomState:
    """Return a RandomState around a bit generator, with the normal number that it has in store."""
    bits = checked_bits(value)
    good = type(gauss) is tuple and len(gauss) == 2 and type(gauss[0]) is int
    if not good or gauss[0] not in (0, 1) or type(gauss[1]) is not float:
        raise WireError("malformed value: state of a RandomState")
    result = np.random.RandomState(bits)
    result.set_state({**bits.state, "has_gauss": gauss[0], "gauss": gauss[1]})
    return result


def sequence_from(seed: Any) -> np.random.SeedSequence:
    """Return the sequence of seeds that `plain_of` has told."""

    def is_words(value: Any, kind: type) -> bool:
        words: Any = value if type(value) is kind else [value]
        return len(words) <= _MAX_WORDS and all(type(w) is int and w >= 0 for w in words)

    good = type(seed) is tuple and len(seed) == 4 and is_words(seed[0], list)
    good = good and is_words(seed[1], tuple)
    if not (good and type(seed[2]) is int and 4 <= seed[2] <= _MAX_POOL and _below(seed[3], 32)):
        raise WireError("malformed value: seed of random numbers")
    entropy, key, pool, spawned = seed
    return np.random.SeedSequence(
        entropy, spawn_key=key, pool_size=pool, n_children_spawned=spawned
    )


def _plain_seed(sequence: Any) -> tuple[Any, ...] | None:
    """Return what makes a sequence of seeds what it is; None of one that cannot be told."""
    if type(sequence) is not np.random.SeedSequence:
        return None
    entropy: Any = sequence.entropy
    key: Any = sequence.spawn_key
    try:
        words = [int(word) for word in entropy] if np.iterable(entropy) else int(entropy)
        place = tuple(int(word) for word in key) if np.iterable(key) else int(key)
    except (TypeError, ValueError):
        return None
    return words, place, int(sequence.pool_size), int(sequence.n_children_spawned)


def _plain(state: Any) -> Any:
    if isinstance(state, dict):
        return {str(key): _plain(value) for key, value in state.items()}
    if isinstance(state, np.ndarray):
        return np.array(state)
    if isinstance(state, str | float):
        return state
    return int(state)


def _words(value: Any, kind: str, count: int) -> bool:
    return type(value) is np.ndarray and value.dtype == kind and value.shape == (count,)


def _below(value: Any, bits: int) -> bool:
    return type(value) is int and 0 <= value < 1 << bits


# A position past the end of MT19937's table would read foreign memory.
_STATES: dict[str, Callable[[dict], bool]] = {
    "PCG64": lambda s: (
        set(s) == {"state", "inc"} and _below(s["state"], 128) and _below(s["inc"], 128)
    ),
    "MT19937": lambda s: (
        set(s) == {"key", "pos"}
        and _words(s["key"], "u4", 624)
        and type(s["pos"]) is int
        and 0 <= s["pos"] <= 624
    ),
    "Philox": lambda s: (
        set(s) == {"counter", "key"} and _words(s["counter"], "u8", 4) and _words(s["key"], "u8", 2)
    ),
    "SFC64": lambda s: set(s) == {"state"} and _words(s["state"], "u8", 4),
}
_STATES["PCG64DXSM"] = _STATES["PCG64"]


def _check_state(name: str, state: Any) -> None:
    good = type(state) is dict and state.get("bit_generator") == name
    good = good and type(state.get("state")) is dict and _STATES[name](state["state"])
    names = {"bit_generator", "state"}
    if good and name != "MT19937":
        names |= {"has_uint32", "uinteger"}
        good = _below(state.get("has_uint32"), 1) and _below(state.get("uinteger"), 32)
    if good and name == "Philox":
        names |= {"buffer", "buffer_pos"}
        position = state.get("buffer_pos")
        good = _words(state.get("buffer"), "u8", 4) and type(position) is int
        good = good and 0 <= position <= 4
    if not good or set(state) != names:
        raise WireError(f"malformed value: state of a {name}")


class _Unknown(np.random.bit_generator.ISeedSequence):
    """Stands where a generator has a seed that cannot cross, or none: it spawns no others."""

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> np.ndarray:
        """Return a state, which is replaced at once."""
        return np.ones(n_words, dtype)
