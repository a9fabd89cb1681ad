"""The conversation between a student's process and the judge's, over one socket.

Both ends run the same `Peer`. A request is answered by a reply; while one end waits for its
reply it serves requests of the other, so that a test may pass a function to the student's code
and be called back. The ends differ in what they are willing to do: the student's process does
all that `Servant` does with its own objects; the judge lets only those functions be called that a
test has passed on purpose.

Objects that stay behind are seen through proxies. A proxy never forwards comparisons, arithmetic
or truth: those would let the student's code decide what a test concludes. It forwards calls,
attributes, items, length and iteration, whose results are plain data again.
"""

from __future__ import annotations

import builtins
import inspect
import linecache
import re
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np

from fastgrade.wire import Decoder, Encoder, WireError, receive_frame, send_frame

__all__ = [
    "JudgePeer",
    "StudentCallable",
    "StudentError",
    "StudentLost",
    "StudentObject",
    "StudentPeer",
]

OBJECT, CALLABLE = 0, 1
MAX_NESTING = 40
_Q = struct.Struct(">Q")


class StudentLost(BaseException):
    """The student's process is gone; not an Exception, so that no test can mistake it for one."""


class StudentError(Exception):
    """Raised in the judge when the student's code raised.

    Attributes
    ----------
    ename, evalue : str
        Type and text of the original exception.
    traceback : list of str
        Its traceback, colored as IPython does.
    line : int or None
        Line of the student's cell that raised.
    source : str
        Text of that line.
    """

    ename = "Exception"
    evalue = ""
    line: int | None = None
    source = ""
    traceback: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.evalue


class CallbackError(Exception):
    """Raised in the student's process when a function that the test passed has raised."""

    def __init__(self, token: int):
        super().__init__("the function that the test passed in raised an exception")
        self.token = token


class _Peer:
    def __init__(self, channel: socket.socket, limit: int):
        self._channel = channel
        self._limit = limit
        self._objects: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}
        self._encoder = Encoder(self._export)
        self._nesting = 0

    def _decoder(self) -> Decoder:
        return Decoder(self._import, self._objects.__getitem__)

    def _send(self, tag: bytes, payload: bytes) -> None:
        send_frame(self._channel, tag + payload)

    def _keep(self, value: Any) -> int:
        number = self._numbers.get(id(value))
        if number is None:
            number = len(self._objects) + 1
            self._objects[number] = value
            self._numbers[id(value)] = number
        return number

    def _request(self, tag: bytes, payload: bytes) -> tuple[bytes, memoryview]:
        """Send a request and serve the other side until its reply is here."""
        if self._nesting >= MAX_NESTING:
            raise RecursionError("calls between test and answer are nested too deep")
        self._nesting += 1
        try:
            self._send(tag, payload)
            while True:
                frame = receive_frame(self._channel, self._limit)
                kind, body = bytes(frame[:1]), memoryview(frame)[1:]
                if kind in b"RE" and kind:
                    return kind, body
                self._serve(kind, body)
        finally:
            self._nesting -= 1

    def _perform_call(
        self, function: Any, args: tuple, kwargs: dict, raw: memoryview | None
    ) -> bytes:
        """Call a function of this side; return its result and what it changed in arguments."""
        # A handle is written differently on the way back, so the baseline is written anew.
        before = self._encoder.encode((args, kwargs)) if raw is None else raw
        result = function(*args, **kwargs)
        after = self._encoder.encode((args, kwargs))
        changed = None if after == before else (args, kwargs)
        return self._encoder.encode((result, changed))

    def _export(self, value: Any) -> tuple[int, int, Any] | int:
        raise NotImplementedError

    def _import(self, kind: int, number: int, meta: Any) -> Any:
        raise NotImplementedError

    def _serve(self, kind: bytes, body: memoryview) -> None:
        raise NotImplementedError


class StudentPeer(_Peer):
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
        payload = _Q.pack(number) + self._encoder.encode((args, kwargs))
        kind, body = self._request(b"C", payload)
        value = self._decoder().decode(body)
        if kind == b"E":
            raise CallbackError(value)
        result, changed = value
        if changed is not None:
            _merge_arguments(args, kwargs, changed)
        return result

    def _export(self, value: Any) -> tuple[int, int, Any] | int:
        if type(value) is TestFunction:
            return value.number
        known = id(value) in self._numbers
        number = self._keep(value)
        kind = CALLABLE if callable(value) else OBJECT
        return kind, number, {} if known else _portrait(value)

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
                reply = self._encoder.encode((self._perform(operation, operands), None))
        except EOFError:
            raise
        except BaseException as error:
            self._send(b"E", self._error(error))
        else:
            self._send(b"R", reply)

    def _call(self, body: memoryview) -> bytes:
        function = self._objects[_Q.unpack(body[:8])[0]]
        decoder = self._decoder()
        args, kwargs = decoder.decode(body[8:])
        return self._perform_call(function, args, kwargs, None if decoder.handles else body[8:])

    def _perform(self, operation: str, operands: list) -> Any:
        if operation == "names":
            return {name: self._namespace[name] for name in operands[0] if name in self._namespace}
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
    return portrait


def _signature_of(value: Any) -> list[tuple[str, int, bool, Any]]:
    return [
        (item.name, int(item.kind), item.default is not item.empty, _default(item.default))
        for item in inspect.signature(value).parameters.values()
    ]


def _default(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str | type(None)) else None


class JudgePeer(_Peer):
    """The end in the judge: gives names of the student as proxies or as plain copies.

    Parameters
    ----------
    channel : socket.socket
        Connected to the student's process.
    limit : int
        Largest message in bytes.
    answers : str, optional
        Source of the student's cells, in hidden tests. The text of an exception could carry the
        inputs of a hidden test to the student; only what the interpreter says of names in
        `answers` is kept then.
    """

    def __init__(self, channel: socket.socket, limit: int, answers: str | None = None):
        super().__init__(channel, limit)
        self._answers = answers
        self._known: dict[int, StudentObject] = {}
        self._errors: list[BaseException] = []

    def names(self, wanted: list[str]) -> dict[str, Any]:
        """Return those of `wanted` that the student has defined."""
        value = self.perform("names", list(wanted))
        if type(value) is not dict or not set(value) <= set(wanted):
            raise WireError("malformed reply: not the names that were asked for")
        return value

    def has_raised(self, error: BaseException) -> bool:
        """Whether an exception came up in a function that the student's code has called."""
        return any(error is known for known in self._errors)

    def perform(self, operation: str, *operands: Any) -> Any:
        """Have the student's process perform one operation of `StudentPeer`."""
        payload = self._encoder.encode((operation, *operands))
        return self._ask(b"O", payload)[0]

    def call(self, number: int, args: tuple, kwargs: dict) -> Any:
        """Call a function of the student; changes that it made to arguments are made here too."""
        payload = _Q.pack(number) + self._encoder.encode((args, kwargs))
        result, changed = self._ask(b"C", payload)
        if changed is not None:
            _merge_arguments(args, kwargs, changed)
        return result

    def _ask(self, tag: bytes, payload: bytes) -> tuple[Any, Any]:
        try:
            kind, body = self._request(tag, payload)
        except (EOFError, OSError) as error:
            raise StudentLost("the answer's process has ended") from error
        value = self._decoder().decode(body)
        if kind == b"E":
            _raise(self._exception(value))
        if type(value) is not tuple or len(value) != 2:
            raise WireError("malformed reply")
        return value

    def _export(self, value: Any) -> tuple[int, int, Any] | int:
        if isinstance(value, StudentObject):
            return object.__getattribute__(value, "_number")
        if callable(value):
            return CALLABLE, self._keep(value), None
        raise WireError(
            f"a test can pass plain data and functions to an answer, got {type(value).__name__}; "
            "tests that pass other objects need mode = 'kernel'"
        )

    def _import(self, kind: int, number: int, meta: Any) -> StudentObject:
        proxy = self._known.get(number)
        if proxy is None:
            portrait = meta if type(meta) is dict else {}
            maker = StudentCallable if kind == CALLABLE else StudentObject
            proxy = self._known[number] = maker(self, number, portrait)
        return proxy

    def _serve(self, kind: bytes, body: memoryview) -> None:
        if kind != b"C" or len(body) < 8:
            raise WireError("malformed reply: not a call")
        function = self._objects.get(_Q.unpack(body[:8])[0])
        decoder = self._decoder()
        value = decoder.decode(body[8:])
        if function is None or type(value) is not tuple or len(value) != 2:
            raise WireError("malformed reply: not a call")
        args, kwargs = value
        if type(args) is not tuple or type(kwargs) is not dict:
            raise WireError("malformed reply: not a call")
        if not all(type(name) is str for name in kwargs):
            raise WireError("malformed reply: not a call")
        try:
            raw = None if decoder.handles else body[8:]
            reply = self._perform_call(function, args, kwargs, raw)
        except (StudentLost, WireError):
            raise
        except Exception as error:
            self._errors.append(error)
            self._send(b"E", self._encoder.encode(len(self._errors) - 1))
        else:
            self._send(b"R", reply)

    def _exception(self, value: Any) -> BaseException:
        good = (
            type(value) is tuple
            and len(value) == 7
            and type(value[0]) is str
            and type(value[1]) is list
            and type(value[2]) is str
            and type(value[3]) is list
            and all(type(line) is str for line in value[3])
            and (value[4] is None or type(value[4]) is int)
            and type(value[5]) is str
        )
        if not good:
            raise WireError("malformed reply: not an exception")
        ename, names, evalue, traceback, line, source, token = value
        if type(token) is int and 0 <= token < len(self._errors):
            return self._errors[token]
        if self._answers is not None:
            evalue, traceback, line = _discreet(evalue, self._answers), [], None
            source = source if source.strip() in map(str.strip, self._answers.split("\n")) else ""
            ename = _builtin_name(names)
        error = _exception_type(ename, names)(evalue)
        error.ename, error.evalue = ename[:200], evalue[:10_000]
        error.traceback, error.line = tuple(traceback), line
        error.source = source[:500]
        return error


_INTERPRETER = re.compile(
    r"(?:name|cannot access local variable|cannot access free variable) '(\w{1,60})'[a-z ]{1,80}"
    r"|(\w{1,60})\(\) (?:takes|missing) \d{1,2} [a-z ]{1,60}(?:\d{1,2} were given|: '(\w{1,60})')"
    r"|(\w{1,60})\(\) got an unexpected keyword argument '(\w{1,60})'"
    r"|division by zero|[a-z]+ index out of range"
)


def _discreet(text: str, answers: str) -> str:
    """Return what an exception says if the interpreter could have said it of `answers`."""
    match = _INTERPRETER.fullmatch(text)
    words = set(re.findall(r"\w+", answers))
    if match and all(name in words for name in match.groups() if name):
        return text
    return ""


def _builtin_name(names: list) -> str:
    for name in names:
        if type(name) is str and isinstance(getattr(builtins, name, None), type):
            return name
    return "Exception"


def _exception_type(ename: str, names: list) -> type[StudentError]:
    """Return a StudentError that is also the built-in exception that the student raised.

    A StopIteration would silently end a loop over answers, and exits would end the judge: those
    stay plain.
    """
    label = ename if ename.isidentifier() else "StudentError"
    for name in names:
        kind = getattr(builtins, name, None) if type(name) is str else None
        if (
            isinstance(kind, type)
            and issubclass(kind, Exception)
            and not issubclass(kind, StopIteration | StopAsyncIteration)
            and kind not in _TROUBLESOME
        ):
            try:
                return type(label, (StudentError, kind), {})
            except TypeError:
                continue
    return type(label, (StudentError,), {})


def _raise(error: BaseException) -> NoReturn:
    """Raise `error` from a frame that looks like the student's line and not like the engine.

    Tests tell a student the line that went wrong; they find it in the innermost frame.
    """
    line = getattr(error, "line", None) or 1
    source = getattr(error, "source", "")
    linecache.cache["<answer>"] = (len(source), None, [""] * (line - 1) + [source], "<answer>")
    code = compile("\n" * (min(line, 10_000) - 1) + "raise error", "<answer>", "exec")
    exec(code, {"error": error})
    raise AssertionError("unreachable")


#: Their constructors want other arguments than one text.
_TROUBLESOME = (
    UnicodeEncodeError,
    UnicodeDecodeError,
    UnicodeTranslateError,
    ExceptionGroup,
)


class StudentObject:
    """In the judge: an object that lives in the student's process."""

    def __init__(self, peer: JudgePeer, number: int, portrait: dict[str, Any]):
        put = object.__setattr__
        put(self, "_peer", peer)
        put(self, "_number", number)
        kind = portrait.get("type")
        put(self, "_kind", kind if type(kind) is str else "object")

    def _do(self, operation: str, *operands: Any) -> Any:
        return self._peer.perform(operation, self._number, *operands)

    def __getattr__(self, name: str) -> Any:
        # NumPy and others ask for names such as __array_interface__ and trust what they get.
        if name.startswith("__"):
            raise AttributeError(name)
        return self._do("attr", name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._do("set attr", name, value)

    def __getitem__(self, key: Any) -> Any:
        return self._do("item", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._do("set item", key, value)

    def __len__(self) -> int:
        value = self._do("length")
        if type(value) is not int or not 0 <= value < 2**62:
            raise WireError("malformed reply: not a length")
        return value

    def __contains__(self, key: Any) -> bool:
        return self._do("contains", key) is True

    def __iter__(self) -> Iterator[Any]:
        iterator = self._do("iterate")
        if not isinstance(iterator, StudentObject):
            raise WireError("malformed reply: not an iterator")
        while True:
            value = iterator._do("next")
            if type(value) is not tuple or len(value) != 2:
                raise WireError("malformed reply: not an item")
            if value[0] is not True:
                return
            yield value[1]

    def __bool__(self) -> bool:
        raise TypeError(f"{self!r} is neither true nor false: compare one of its values")

    def __repr__(self) -> str:
        return f"<{self._kind} of the student>"

    # Defined, so that conversion does not try to walk the object as a sequence.
    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise TypeError(f"{self!r} is not an array")


class StudentCallable(StudentObject):
    """In the judge: a function or class of the student."""

    def __init__(self, peer: JudgePeer, number: int, portrait: dict[str, Any]):
        super().__init__(peer, number, portrait)
        put = object.__setattr__
        name = portrait.get("name")
        put(self, "__name__", name if type(name) is str else "answer")

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        """The text that the student wrote into the function."""
        text = self._do("documentation")
        return text if type(text) is str else None

    @property
    def __signature__(self) -> inspect.Signature:
        """The arguments of the function, for `inspect.signature`."""
        signature = _signature(self._do("signature"))
        if signature is None:
            raise AttributeError("__signature__")
        return signature

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it where it lives."""
        return self._peer.call(self._number, args, kwargs)

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, StudentObject) and self._do("instance", value) is True


def _signature(items: Any) -> inspect.Signature | None:
    if type(items) is not list:
        return None
    try:
        return inspect.Signature(
            [
                inspect.Parameter(
                    name,
                    inspect._ParameterKind(kind),
                    default=default if given else inspect.Parameter.empty,
                )
                for name, kind, given, default in items
            ]
        )
    except (TypeError, ValueError):
        return None


def _merge_arguments(args: tuple, kwargs: dict, changed: Any) -> None:
    """Bring arguments to the state in which the other side has left its copies."""
    if not (
        type(changed) is tuple
        and len(changed) == 2
        and type(changed[0]) is tuple
        and len(changed[0]) == len(args)
        and type(changed[1]) is dict
    ):
        raise WireError("malformed reply: changed arguments do not fit")
    for old, new in zip(args, changed[0], strict=True):
        merge(old, new)
    for name, old in kwargs.items():
        if name in changed[1]:
            merge(old, changed[1][name])


def merge(old: Any, new: Any) -> Any:
    """Bring `old` to the state of `new`, in place where it can be, and return what now stands.

    Parameters
    ----------
    old : object
        An argument as the test passed it.
    new : object
        The same argument after the student's function has returned.
    """
    if old is new:
        return old
    if isinstance(old, np.ndarray):
        if not isinstance(new, np.ndarray) or old.shape != new.shape or old.dtype != new.dtype:
            return new
        if old.flags.writeable and old.tobytes() != new.tobytes():
            old[...] = new
        return old
    if type(old) is list and type(new) is list:
        merged = [merge(a, b) for a, b in zip(old, new, strict=False)]
        old[:] = merged + new[len(merged) :]
        return old
    if type(old) is dict and type(new) is dict:
        merged = {key: merge(old[key], new[key]) if key in old else new[key] for key in new}
        old.clear()
        old.update(merged)
        return old
    if type(old) is set and type(new) is set:
        old.clear()
        old.update(new)
        return old
    if type(old) is tuple and type(new) is tuple and len(old) == len(new):
        merged = tuple(merge(a, b) for a, b in zip(old, new, strict=True))
        return old if all(a is b for a, b in zip(old, merged, strict=True)) else merged
    if isinstance(old, np.random.Generator) and isinstance(new, np.random.Generator):
        if type(old.bit_generator) is type(new.bit_generator):
            old.bit_generator.state = new.bit_generator.state
        return old
    if isinstance(old, np.random.RandomState) and isinstance(new, np.random.RandomState):
        old.set_state(new.get_state(legacy=False))
        return old
    return new
