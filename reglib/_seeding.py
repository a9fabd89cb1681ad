"""Where randomness comes from that nobody seeded: fresh, or from one seed for the whole program.

NumPy's and Python's own global generators are neither read nor written.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_whole: np.random.SeedSequence | None = None
_shared: np.random.Generator | None = None


def seed_all(seed: int | None) -> None:
    """Draw all that is not seeded otherwise from this seed from now on; None: fresh again."""
    global _whole, _shared
    _whole, _shared = None if seed is None else np.random.SeedSequence(seed), None


def sequence(seed: int | None = None) -> np.random.SeedSequence:
    """Return a sequence of a seed; without one another each time, but after :func:`seed_all`
    the same ones in the same order.

    Examples
    --------
    >>> sequence(3).entropy
    3
    """  # noqa: D205
    if seed is None and _whole is not None:
        return _whole.spawn(1)[0]
    return np.random.SeedSequence(seed)


def generator(seed: Any = None) -> np.random.Generator:
    """Return a generator: the one given or within what is given, or one from a seed or none."""
    seed = getattr(seed, "generator", seed)
    return seed if isinstance(seed, np.random.Generator) else np.random.default_rng(sequence(seed))


def shared() -> np.random.Generator:
    """Return the one generator of functions that are given no seed: each call draws on."""
    global _shared
    if _shared is None:
        _shared = generator()
    return _shared
