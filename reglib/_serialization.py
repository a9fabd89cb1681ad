"""Names to objects and back, in Keras's format, for every kind of object that has a config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reglib._validation import check_mapping, naming


def from_config(cls: type, config: Mapping[str, Any]) -> Any:
    """Return an object of a class from its config.

    Raises
    ------
    TypeError
        If ``config`` is no mapping, or has an argument that the class does not.
    ValueError
        If an argument is bad.
    """
    with naming("config"):
        return cls(**check_mapping("config", config))


def serialize(thing: Any, module: str) -> dict[str, Any] | None:
    """Return Keras's description of an object, its class name and config; None stays None."""
    if thing is None:
        return None
    if not hasattr(thing, "get_config"):
        kind = "loss" if module == "losses" else module[:-1]
        raise TypeError(f"{kind} must be an object with a config, got {thing!r}")
    return {
        "module": f"keras.{module}",
        "class_name": type(thing).__name__,
        "config": thing.get_config(),
        "registered_name": None,
    }


def get(identifier: Any, registry: Mapping[str, type], kind: str) -> Any:
    """Return the object that ``identifier`` means.

    Parameters
    ----------
    identifier : None, str, dict, class, callable or object
        None stays None; a string is a name; a dict is Keras's description; a class is
        called without arguments; any other callable or object is returned as it is.
    registry : mapping
        Names to classes (or functions, which are returned as they are).
    kind : str
        What the caller looks for, for the message.

    Raises
    ------
    ValueError
        If the name is unknown or the identifier is of no use.
    """
    if identifier is None:
        return None
    if isinstance(identifier, str):
        if identifier not in registry:
            raise ValueError(
                f"{kind} must be one of {', '.join(sorted(registry))}, got {identifier!r}"
            )
        found = registry[identifier]
        return found() if isinstance(found, type) else found
    if isinstance(identifier, dict):
        return deserialize(identifier, registry, kind)
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier) or hasattr(identifier, "get_config"):
        return identifier
    raise ValueError(
        f"{kind} must be None, a name, a config, a class or an object, got {identifier!r}"
    )


def own(thing: Any, registry: Mapping[str, type]) -> Any:
    """Return the object of this library for one of Keras's classes; anything else as it is.

    An object of Keras gives the same numbers, but has no gradient.
    """
    cls = registry.get(type(thing).__name__)
    if cls is None or type(thing).__module__.partition(".")[0] != "keras":
        return thing
    return cls.from_config(thing.get_config())


def deserialize(
    description: Mapping[str, Any] | str,
    registry: Mapping[str, type],
    kind: str,
    custom_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Return the object that Keras's description means.

    Raises
    ------
    ValueError
        If the description has no class name or the class is unknown.
    TypeError
        If the description is neither a mapping nor a name.
    """
    known = {**registry, **check_mapping("custom_objects", custom_objects or {})}
    if isinstance(description, str):
        return get(description, known, kind)
    check_mapping(f"{kind} config", description)
    if "class_name" not in description:
        raise ValueError(f"{kind} config must have a 'class_name', got {dict(description)!r}")
    name = description["class_name"]
    if name not in known:
        raise ValueError(f"{kind} must be one of {', '.join(sorted(known))}, got {name!r}")
    found = known[name]
    return found.from_config(description.get("config", {})) if isinstance(found, type) else found
