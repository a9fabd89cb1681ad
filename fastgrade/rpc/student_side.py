"""The student's end of the conversation: looks names up, performs calls, does what it is asked.

Objects that are no plain data stay here; the judge gets their numbers.
"""

from __future__ import annotations

import dataclasses
import inspect
import socket
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from fastgrade.rpc.aliases import Aliases
from fastgrade.rpc.codec import Encoder, receive_frame
from fastgrade.rpc.namesakes import pictures, read_by_functions
from fastgrade.rpc.protocol import CALLABLE, ITERATOR, NUMBER, OBJECT, Peer, merge_arguments
from fastgrade.rpc.proxies import ASKED

__all__ = ["StudentPeer"]

#: Names that functions of an answer read which are told.
_MOST_NAMES = 10_000


class CallbackError(Exception):
    """Raised in the student's process when a function that the test passed has raised."""

    def __init__(self, token: int):
        super().__init__("the function that the test passed in raised an exception")
        self.token = token


class StudentPeer(Peer):
    """The end in the student's process: looks names up and performs calls.

    Parameters
    ----------
    channel : socket.socket
        Connected to the judge.
    limit : int
        Largest message in bytes.
    namespace : dict
        The student's names.
    describe : callable
        Turns an exception into ``(traceback lines, number of the line in the cell or None, text of
        that line)``.
    """

    def __init__(
        self,
        channel: socket.socket,
        limit: int,
        namespace: dict[str, Any],
        describe: Callable[[BaseException], tuple[list[str], int | None, str]],
    ):
        super().__init__(channel, limit)
        self._namespace = namespace
        self._describe = describe
        self._proxies: dict[int, TestFunction] = {}
        self._aliases = Aliases(self._encoder.encode)

    def serve_forever(self) -> None:
        """Serve the judge until it hangs up."""
        while True:
            try:
                frame = receive_frame(self._channel, self._limit)
            except EOFError:
                return
            self._serve(bytes(frame[:1]), memoryview(frame)[1:])

    def call_back(self, number: int, args: tuple, kwargs: dict) -> Any:
        """Call a function of the test and return its result."""
        payload = NUMBER.pack(number) + self._encoder.encode((args, kwargs))
        kind, body = self._request(b"C", payload)
        value = self._decoder().decode(body)
        if kind == b"E":
            raise CallbackError(value)
        result, changed = value
        if changed is not None:
            merge_arguments(args, kwargs, changed)
        return result

    def _export(self, value: Any) -> tuple[int, int, Any] | int:
        if type(value) is TestFunction:
            return value.number
        known = id(value) in self._numbers
        number = self._keep(value)
        kind = CALLABLE if callable(value) else OBJECT
        if kind == OBJECT and hasattr(type(value), "__next__"):
            kind = ITERATOR
        portrait = {} if known else _portrait(value)
        if portrait.get("fields") is not None:
            portrait["class"] = self._keep(type(value))
        return kind, number, portrait

    def _import(self, kind: int, number: int, meta: Any) -> Any:
        proxy = self._proxies.get(number)
        if proxy is None:
            proxy = self._proxies[number] = TestFunction(self, number)
        return proxy

    def _serve(self, kind: bytes, body: memoryview) -> None:
        try:
            if kind == b"C":
                reply = self._call(body)
            else:
                operation, *operands = self._decoder().decode(body)
                reply = self._tell(operation, operands)
        except EOFError:
            raise
        except BaseException as error:
            self._send(b"E", self._error(error))
        else:
            self._send(b"R", reply)

    def _call(self, body: memoryview) -> bytes:
        function = self._objects[NUMBER.unpack(body[:8])[0]]
        decoder = self._decoder()
        args, kwargs = decoder.decode(body[8:])
        passed = self._aliases.passed([*args, *kwargs.values()])
        returned: deque[Any] = deque()

        def call(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            returned.extend(self._aliases.returned([result], passed))
            return result

        reply = self._perform_call(call, args, kwargs, None if decoder.handles else body[8:])
        del args, kwargs
        self._aliases.let_go(returned, "result kept")
        self._aliases.let_go(passed, "argument kept")
        return reply

    def _tell(self, operation: str, operands: list) -> bytes:
        value = self._perform(operation, operands)
        is_names = operation == "names"
        told = self._aliases.returned(value.values() if is_names else [value])
        reply = self._encoder.encode((value, None))
        del value
        if is_names:
            self._aliases.keep(told)
        else:
            self._aliases.let_go(told, "result kept")
        return reply

    def _perform(self, operation: str, operands: list) -> Any:
        if operation == "names":
            return {name: self._namespace[name] for name in operands[0] if name in self._namespace}
        if operation == "aliases":
            return self._aliases.found()
        if operation == "pictures":
            return pictures(self._namespace, operands[0])
        if operation == "reads":
            return sorted(read_by_functions(self._namespace))[:_MOST_NAMES]
        target = self._objects[operands[0]]
        if operation == "attr":
            return getattr(target, operands[1])
        if operation == "set attr":
            return setattr(target, operands[1], operands[2])
        if operation == "item":
            return target[operands[1]]
        if operation == "set item":
            target[operands[1]] = operands[2]
            return None
        if operation == "length":
            return len(target)
        if operation == "iterate":
            return _Iterator(iter(target))
        if operation == "next":
            return target.take()
        if operation == "advance":
            return _Iterator(target).take()
        if operation in ("repr", "str"):
            return str.__str__(repr(target) if operation == "repr" else str(target))[:1_000_000]
        if operation == "contains":
            return operands[1] in target
        if operation == "signature":
            return _signature_of(target)
        if operation == "documentation":
            text = target.__doc__
            return text[:10_000] if type(text) is str else None
        if operation == "instance":
            return isinstance(operands[1], target)
        raise ValueError(f"unknown operation {operation!r}")

    def _error(self, error: BaseException) -> bytes:
        token = error.token if isinstance(error, CallbackError) else None
        try:
            lines, line, source = self._describe(error)
        except BaseException:
            lines, line, source = [], None, ""
        try:
            text = str(error)[:10_000]
        except BaseException:
            text = "(an exception that cannot be printed)"
        names = [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins"]
        name = str(type(error).__name__)[:200]
        return Encoder().encode((name, names, text, lines, line, source, token))


class _Iterator:
    """An iterator that the judge may advance, and that tells its end apart from an error."""

    def __init__(self, iterator: Iterator):
        self._iterator = iterator

    def take(self) -> tuple[bool, Any]:
        for value in self._iterator:
            return True, value
        return False, None


class TestFunction:
    """In the student's process: a function that the test passed in."""

    __slots__ = ("_peer", "number")
    __test__ = False  # not a test, whatever pytest thinks of its name

    def __init__(self, peer: StudentPeer, number: int):
        self._peer = peer
        self.number = number

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it where it lives."""
        return self._peer.call_back(self.number, args, kwargs)

    def __repr__(self) -> str:
        return "<function of the test>"


def _portrait(value: Any) -> dict[str, Any]:
    """Describe an object for its proxy; all of it is hearsay to the judge."""
    portrait: dict[str, Any] = {"type": str(type(value).__name__)[:100]}
    name = getattr(value, "__name__", None)
    if type(name) is str:
        portrait["name"] = name[:100]
    classes = [kind for kind in type(value).__mro__ if kind is not object]
    portrait["has"] = [
        name
        for name in ASKED
        if any(vars(kind).get(name) is not None for kind in classes)
        or (name == "__hash__" and any(name in vars(kind) for kind in classes))
    ]
    portrait["fields"] = _fields(type(value))
    portrait["hashes"] = _is_generated(type(value), "__hash__")
    # Whatever its class is derived from may be known to a test by another object.
    portrait["bases"] = [
        kind.__name__[:100]
        for kind in classes
        if kind.__module__ != "__main__" or kind.__bases__ != (object,)
    ]
    return portrait


def _fields(kind: type) -> list[str] | None:
    """Return the fields by which a dataclass compares; None of a class that compares otherwise."""
    if "__dataclass_params__" not in vars(kind) or not _is_generated(kind, "__eq__"):
        return None
    fields = dataclasses.fields(kind)
    if any(field.hash is not None for field in fields):
        return None
    return [field.name for field in fields if field.compare]


def _is_generated(kind: type, name: str) -> bool:
    """Whether `dataclasses` has written a method."""
    code = getattr(vars(kind).get(name), "__code__", None)
    return getattr(code, "co_filename", "") == "<string>"


def _signature_of(value: Any) -> list[tuple[str, int, bool, Any]]:
    return [
        (item.name, int(item.kind), item.default is not item.empty, _default(item.default))
        for item in inspect.signature(value).parameters.values()
    ]


def _default(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str | type(None)) else None
