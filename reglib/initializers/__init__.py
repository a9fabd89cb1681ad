"""How weights start: Keras's initializers, each a callable ``(shape, dtype, generator)``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from reglib import _serialization
from reglib._absent import refuse
from reglib.initializers.base import Initializer as Initializer
from reglib.initializers.base import compute_fans as compute_fans
from reglib.initializers.drawn import Orthogonal as Orthogonal
from reglib.initializers.drawn import RandomNormal as RandomNormal
from reglib.initializers.drawn import RandomUniform as RandomUniform
from reglib.initializers.drawn import TruncatedNormal as TruncatedNormal
from reglib.initializers.fixed import Constant as Constant
from reglib.initializers.fixed import Identity as Identity
from reglib.initializers.fixed import Ones as Ones
from reglib.initializers.fixed import Zeros as Zeros
from reglib.initializers.scaled import GlorotNormal as GlorotNormal
from reglib.initializers.scaled import GlorotUniform as GlorotUniform
from reglib.initializers.scaled import HeNormal as HeNormal
from reglib.initializers.scaled import HeUniform as HeUniform
from reglib.initializers.scaled import LecunNormal as LecunNormal
from reglib.initializers.scaled import LecunUniform as LecunUniform
from reglib.initializers.scaled import VarianceScaling as VarianceScaling

# Keras's other names.
constant, zeros, ones, identity = Constant, Zeros, Ones, Identity
random_normal, random_uniform = RandomNormal, RandomUniform
truncated_normal, variance_scaling = TruncatedNormal, VarianceScaling
glorot_uniform, glorot_normal = GlorotUniform, GlorotNormal
he_uniform, he_normal = HeUniform, HeNormal
lecun_uniform, lecun_normal = LecunUniform, LecunNormal
orthogonal = Orthogonal
IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal

_REGISTRY: Mapping[str, type[Initializer]] = {
    name: cls
    for cls, snake in (
        (Constant, "constant"),
        (Zeros, "zeros"),
        (Ones, "ones"),
        (RandomNormal, "random_normal"),
        (RandomUniform, "random_uniform"),
        (TruncatedNormal, "truncated_normal"),
        (VarianceScaling, "variance_scaling"),
        (GlorotUniform, "glorot_uniform"),
        (GlorotNormal, "glorot_normal"),
        (HeUniform, "he_uniform"),
        (HeNormal, "he_normal"),
        (LecunUniform, "lecun_uniform"),
        (LecunNormal, "lecun_normal"),
        (Orthogonal, "orthogonal"),
        (Identity, "identity"),
    )
    for name in (cls.__name__, snake)
} | {
    "uniform": RandomUniform,
    "normal": RandomNormal,
    "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal,
}


def get(identifier: Any) -> Initializer | None:
    """Return the initializer that ``identifier`` means; an array means weights like it.

    Raises
    ------
    ValueError
        If the name is unknown or the identifier is of no use.

    Examples
    --------
    >>> get("glorot_uniform")((2, 3)).shape
    (2, 3)
    """
    if isinstance(identifier, np.ndarray):
        return Constant(identifier)
    return _serialization.get(identifier, _REGISTRY, "initializer")


def serialize(initializer: Initializer) -> dict[str, Any]:
    """Return Keras's description of an initializer, as plain data.

    Examples
    --------
    >>> serialize(Constant(2.0))["config"]
    {'value': 2.0}
    """
    return _serialization.serialize(initializer, "initializers")


def deserialize(config: Mapping[str, Any]) -> Initializer:
    """Return the initializer that Keras's description means.

    Raises
    ------
    ValueError
        If the class is unknown.
    """
    return _serialization.deserialize(config, _REGISTRY, "initializer")


__getattr__ = partial(refuse, __name__)
