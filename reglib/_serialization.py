"""Objects to descriptions and back, in Keras's format, for every kind that has a config.

A description names its class together with where that comes from: ``module`` is ``keras.layers``
and the like for the classes that Keras has too; for a reader's own it is the module that defines
them, and ``registered_name`` is what :func:`register_keras_serializable` gave them. So a
``Dropout`` of one's own and the library's live side by side.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Self, TypeVar

from reglib._absent import advice
from reglib._arguments import Dict, Text
from reglib._validation import naming

Thing = TypeVar("Thing", bound=Callable)

_ROOMS = {"loss": "losses"}

_registered: dict[str, Any] = {}
_registered_names: dict[Any, str] = {}
_own_classes: dict[tuple[str, str], type] = {}
_in_scope: ContextVar[Mapping[str, Any]] = ContextVar("custom objects", default={})  # noqa: B039


class Described:
    """What has a config, and is found again by it; classes of one's own without registering."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Remember a class that is not of the library, by its module and its name."""
        super().__init_subclass__(**kwargs)
        if not is_of_library(cls):
            _own_classes[cls.__module__, cls.__name__] = cls

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        raise NotImplementedError(f"{type(self).__name__} must define get_config")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return a new object of the class from what :meth:`get_config` returned.

        Raises
        ------
        TypeError
            If ``config`` is no mapping, or has an argument that the class does not.
        ValueError
            If an argument is bad.
        """
        with naming("config"):
            return cls(**Dict().check("config", config))


def is_of_library(cls: type) -> bool:
    """Return whether a class is this library's, and so not a reader's own of the same name."""
    return cls.__module__.partition(".")[0] == "reglib"


# Classes and functions of one's own.


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[Thing], Thing]:
    """Return a decorator that makes a class or function of one's own known as ``package>name``.

    A saved model that holds it is then loaded without ``custom_objects``, wherever the class is
    defined by then.

    Parameters
    ----------
    package : str
        Whose it is.
    name : str, optional
        By default the name of the class or function.

    Raises
    ------
    TypeError
        If a name is no string.
    ValueError
        If the class has no ``get_config``.

    References
    ----------
    ``keras.saving.register_keras_serializable``.

    Examples
    --------
    >>> @register_keras_serializable("course")
    ... def doubled(z):
    ...     return 2 * z
    >>> get_registered_name(doubled), get_registered_object("course>doubled") is doubled
    ('course>doubled', True)
    """
    Text().check("package", package)
    if name is not None:
        Text().check("name", name)

    def register(thing: Thing) -> Thing:
        if isinstance(thing, type) and not hasattr(thing, "get_config"):
            raise ValueError(f"{thing.__name__} must have a get_config to be registered")
        known_as = f"{package}>{name or _name_of(thing)}"
        _registered[known_as] = thing
        _registered_names[thing] = known_as
        return thing

    return register


def get_registered_name(obj: Any) -> str:
    """Return the name that a class or function was registered under, else its own."""
    return _registered_names.get(obj) or _name_of(obj)


def get_registered_object(name: str | None, custom_objects: Any = None) -> Any:
    """Return what a scope, a registration or else ``custom_objects`` knows as ``name``, or None."""
    for known in (_in_scope.get(), _registered, custom_objects or {}):
        if name is not None and name in known:
            return known[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """Return all that is registered, by the names; what is changed there is changed for all."""
    return _registered


@contextlib.contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any] | None) -> Iterator[None]:
    """Make classes and functions of one's own known by these names, within a ``with``.

    Raises
    ------
    TypeError
        If they are no mapping.

    Examples
    --------
    >>> with custom_object_scope({"half": 0.5}):
    ...     get_registered_object("half")
    0.5
    """
    known = Dict().check("custom_objects", custom_objects or {})
    token = _in_scope.set({**_in_scope.get(), **known})
    try:
        yield
    finally:
        _in_scope.reset(token)


def _name_of(thing: Any) -> str:
    return str(getattr(thing, "__name__", None) or getattr(thing, "name", type(thing).__name__))


# Descriptions.


def serialize(thing: Any, module: str) -> Any:
    """Return Keras's description of an object, its class name and config; None stays None."""
    if thing is None:
        return None
    if not hasattr(thing, "get_config"):
        kind = "loss" if module == "losses" else module[:-1]
        raise TypeError(f"{kind} must be an object with a config, got {thing!r}")
    cls = type(thing)
    own = not is_of_library(cls)
    return {
        "module": cls.__module__ if own else f"keras.{module}",
        "class_name": cls.__name__,
        "config": thing.get_config(),
        "registered_name": get_registered_name(cls) if own else None,
    }


def get(identifier: Any, registry: Mapping[str, Any], kind: str) -> Any:
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
        found = get_registered_object(identifier, registry)
        if found is None:
            raise ValueError(f"{_known(kind, registry)}, got {_got(kind, identifier)}")
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


def own(thing: Any, registry: Mapping[str, Any]) -> Any:
    """Return the object of this library for one of Keras's classes; anything else as it is.

    An object of Keras gives the same numbers, but has no gradient.
    """
    cls: Any = registry.get(type(thing).__name__)
    if cls is None or type(thing).__module__.partition(".")[0] != "keras":
        return thing
    return cls.from_config(thing.get_config())


def deserialize(
    description: Mapping[str, Any] | str,
    registry: Mapping[str, Any],
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
    with custom_object_scope(custom_objects):
        if isinstance(description, str):
            return get(description, registry, kind)
        Dict().check(f"{kind} config", description)
        if "class_name" not in description:
            raise ValueError(f"{kind} config must have a 'class_name', got {dict(description)!r}")
        found: Any = _found(description, registry)
        if found is None:
            raise ValueError(
                f"{_known(kind, registry)}, or one of your own that is defined, or registered "
                f"by register_keras_serializable, or in custom_objects, "
                f"got {_got(kind, description['class_name'])}"
            )
        config = description.get("config") or {}
        is_class = isinstance(found, type)
        return found.from_config(config) if is_class else found


def _found(description: Mapping[str, Any], registry: Mapping[str, Any]) -> Any:
    """Return the class that is described: by its registered name, else by module and name."""
    name = description["class_name"]
    module = description.get("module")
    found = get_registered_object(description.get("registered_name", name))
    if found is None and module is not None:
        found = _own_classes.get((module, name))
    if found is None and (module is None or module.partition(".")[0] == "keras"):
        # The latter is for descriptions that were written without registered names.
        found = registry.get(name) or get_registered_object(name)
    return found


def _known(kind: str, registry: Mapping[str, Any]) -> str:
    return f"{kind} must be one of {', '.join(sorted(registry))}"


def _got(kind: str, name: Any) -> str:
    """Return an unknown name as it came, with what to use instead if it is one of Keras's."""
    room, text = _ROOMS.get(kind, f"{kind}s"), str(name)
    instead = advice(room, text) or advice(room, text.capitalize())  # 'adagrad' means Adagrad
    return repr(name) if instead is None else f"{name!r}, which Keras has: {instead}"
