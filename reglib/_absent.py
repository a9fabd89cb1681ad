"""Refusing the names that Keras has and this library has not, with what to use instead."""

from __future__ import annotations

import sys
from typing import NoReturn


def advice(room: str, name: str) -> str | None:
    """Return what ``reglib.deviations`` says about a name of a module, None for one of no kind.

    Examples
    --------
    >>> advice("callbacks", "OrbaxCheckpoint")
    'use ModelCheckpoint'
    """
    from reglib.deviations import NAMES  # here: it is wanted for an error alone

    for names, instead in NAMES.get(room, {}).items():
        if name in names.split():
            return instead
    return None


def refuse(module: str, name: str) -> NoReturn:
    """Raise the error for a name that a module has not: what its ``__getattr__`` is.

    Raises
    ------
    ImportError
        For ``from module import name``, which would replace an AttributeError's message.
    AttributeError
        Elsewhere.
    """
    from reglib.deviations import PARTS

    room = module.partition(".")[2]
    instead = None if name.startswith("_") else advice(room, name)
    if instead is not None:
        message = f"{module} has no {name}, as Keras has: {instead}"
    elif room in PARTS and not name.startswith("_"):
        message = f"{module} has no {name}: it has {PARTS[room]}"
    else:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    if _is_imported_from():
        raise ImportError(message, name=module)
    # With an object that has no attributes of the kind Python suggests none of them.
    raise AttributeError(message, name=name, obj=None)


def _is_imported_from() -> bool:
    """Return whether the name is asked for by a ``from ... import``, two or three frames away."""
    import dis

    frame = sys._getframe(2)
    if frame.f_code.co_name == "__getattr__" and frame.f_back is not None:
        frame = frame.f_back
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] == "IMPORT_FROM"
