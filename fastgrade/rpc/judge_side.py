"""The judge's end of the conversation: asks, and believes nothing but plain data.

Objects of the student are seen through `proxies`.
"""

from __future__ import annotations

import builtins
import linecache
import re
import socket
from collections.abc import Collection, Iterable
from typing import Any, NoReturn

from fastgrade.rpc.aliases import KINDS
from fastgrade.rpc.codec import WireError
from fastgrade.rpc.protocol import CALLABLE, ITERATOR, NUMBER, Peer, merge_arguments
from fastgrade.rpc.proxies import (
    StudentCallable,
    StudentIterator,
    StudentObject,
    UnansweredError,
)

__all__ = ["JudgePeer", "StudentError", "StudentLost"]

_MAKERS = {CALLABLE: StudentCallable, ITERATOR: StudentIterator}


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
    """

    ename = "Exception"
    evalue = ""
    line: int | None = None
    traceback: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.evalue


class JudgePeer(Peer):
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
    looks : bool, optional
        Whether the test asks objects of the solution for what only they can say; None where that is
        not known.
    """

    def __init__(
        self,
        channel: socket.socket,
        limit: int,
        answers: str | None = None,
        looks: bool | None = None,
    ):
        super().__init__(channel, limit)
        self._answers = answers
        self._looks = looks
        #: Whether the student's process has ended, whatever a test makes of that.
        self.is_lost = False
        #: Whether the test has asked an object for what only it can say.
        self.has_looked = False
        self._known: dict[int, StudentObject] = {}
        self._errors: list[BaseException] = []
        self._asked: frozenset[str] = frozenset()
        #: What a test has asked first that no proxy can answer truthfully.
        self.unanswered = ""

    def names(self, wanted: list[str]) -> dict[str, Any]:
        """Return those of `wanted` that the student has defined."""
        self._asked = frozenset(wanted)
        value = self.perform("names", list(wanted))
        if type(value) is not dict or not set(value) <= set(wanted):
            raise WireError("malformed reply: not the names that were asked for")
        return value

    def aliases(self) -> list[str]:
        """Return in what ways copies may have shown something else to a test than the objects."""
        found = self._hearsay("aliases")
        return [kind for kind in KINDS if type(found) is list and kind in found]

    def pictures(self, names: Iterable[str]) -> dict[str, str]:
        """Return how the student's end describes what names stand for there; see `namesakes`."""
        found = self._hearsay("pictures", list(names))
        pairs = found.items() if type(found) is dict else ()
        return {name: told for name, told in pairs if type(name) is str and type(told) is str}

    def reads(self) -> set[str]:
        """Return the names that the student's functions read when they are called."""
        found = self._hearsay("reads")
        return {name for name in found if type(name) is str} if type(found) is list else set()

    def _hearsay(self, operation: str, *operands: Any) -> Any:
        try:
            return self.perform(operation, *operands)
        except (StudentLost, StudentError, WireError):
            return None

    def has_raised(self, error: BaseException) -> bool:
        """Whether an exception came up in a function that the student's code has called."""
        return any(error is known for known in self._errors)

    def perform(self, operation: str, *operands: Any) -> Any:
        """Have the student's process perform one operation of `StudentPeer`."""
        payload = self._encoder.encode((operation, *operands))
        return self._ask(b"O", payload)[0]

    def call(self, number: int, args: tuple, kwargs: dict) -> Any:
        """Call a function of the student; changes that it made to arguments are made here too."""
        payload = NUMBER.pack(number) + self._encoder.encode((args, kwargs))
        result, changed = self._ask(b"C", payload)
        if changed is not None:
            merge_arguments(args, kwargs, changed)
        return result

    def _ask(self, tag: bytes, payload: bytes) -> tuple[Any, Any]:
        try:
            kind, body = self._request(tag, payload)
        except (EOFError, OSError) as error:
            self.is_lost = True
            raise StudentLost("the answer's process has ended") from error
        value = self._decoder().decode(body)
        if kind == b"E":
            _raise(*self._exception(value))
        if type(value) is not tuple or len(value) != 2:
            raise WireError("malformed reply")
        return value

    def _export(self, value: Any) -> tuple[int, int, Any] | int:
        if issubclass(type(value), StudentObject):
            return object.__getattribute__(value, "_number")
        if callable(value):
            return CALLABLE, self._keep(value), None
        raise self.unable(
            f"a test can pass plain data and functions to an answer, got {type(value).__name__}"
        )

    def may_look(self, in_doubt: bool) -> bool:
        """Whether objects may be asked for what only they can say; see `proxies`."""
        self.has_looked = True
        return in_doubt if self._looks is None else self._looks

    def unable(self, what: str) -> UnansweredError:
        """Return an error, and keep in mind that there was one whatever a test makes of it."""
        self.unanswered = self.unanswered or what[:500]
        return UnansweredError(what)

    def _import(self, kind: int, number: int, meta: Any) -> StudentObject:
        proxy = self._known.get(number)
        if proxy is None:
            portrait = meta if type(meta) is dict else {}
            maker = _MAKERS.get(kind, StudentObject)
            proxy = self._known[number] = maker(self, number, portrait)
        return proxy

    def _serve(self, kind: bytes, body: memoryview) -> None:
        if kind != b"C" or len(body) < 8:
            raise WireError("malformed reply: not a call")
        function = self._objects.get(NUMBER.unpack(body[:8])[0])
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
            # Nobody is told of frames of the engine: if there are no others, the call was wrong.
            own = error.__traceback__
            for _ in (self._serve, self._perform_call):
                own = own and own.tb_next
            self._errors.append(error.with_traceback(own))
            self._send(b"E", self._encoder.encode(len(self._errors) - 1))
        else:
            self._send(b"R", reply)

    def _exception(self, value: Any) -> tuple[BaseException, int | None, str]:
        """Return what was raised, and the number and the text of the student's line."""
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
        if self._answers is not None:
            evalue = _discreet(evalue, self._answers, self._asked)
            traceback, line, source = [], None, _discreet_line(source, self._answers)
            ename = _builtin_name(names)
        if type(token) is int and 0 <= token < len(self._errors):
            return self._errors[token], line, source
        error = _exception_type(ename, names)(evalue)
        error.ename, error.evalue = ename[:200], evalue[:10_000]
        error.traceback, error.line = tuple(traceback), line
        return error, line, source


_COUNT = r"\d positional arguments?"
#: What the interpreter says, with ``called`` for a function of the test and ``name`` for any name.
#: No part of it is free: letters or long numbers could spell the input of a hidden test.
_INTERPRETER = re.compile(
    r"name '(?P<name>\w{1,60})' is not defined"
    r"|cannot access local variable '(?P<name1>\w{1,60})' where it is not associated with a value"
    r"|cannot access free variable '(?P<name2>\w{1,60})' where it is not associated with a value"
    r" in enclosing scope"
    rf"|(?P<called>\w{{1,60}})\(\) takes (?:from \d to )?{_COUNT} but \d (?:was|were) given"
    r"|(?P<called1>\w{1,60})\(\) missing \d required (?:positional|keyword-only) arguments?: "
    r"'(?P<name3>\w{1,60})'"
    r"|(?P<called2>\w{1,60})\(\) got an unexpected keyword argument '(?P<name4>\w{1,60})'"
    r"|(?:float |integer )?(?:division|modulo|division or modulo) by zero|math domain error"
    r"|(?:list|tuple|string|range object|bytearray) (?:assignment )?index out of range"
    r"|pop from (?:an )?empty (?:list|set|deque)"
)
#: An author of more words and lines may have written one for each input that he can think of.
_MOST_WORDS, _MOST_LINES = 3_000, 1_000


def _discreet(text: str, answers: str, called: Collection[str]) -> str:
    """Return what an exception says if the interpreter could have said it of `answers`.

    Parameters
    ----------
    text : str
        What the student's process says that it said.
    answers : str
        Source of the student's cells.
    called : collection of str
        The names that the test takes from the student.
    """
    match = _INTERPRETER.fullmatch(text)
    if match is None:
        return ""
    words = re.findall(r"\w+", answers)
    for group, name in match.groupdict().items():
        if name is not None and name not in (called if group.startswith("called") else words):
            return ""
    return text if len(words) <= _MOST_WORDS else ""


def _discreet_line(line: str, answers: str) -> str:
    """Return a line if it is one of not too many of the student's cells."""
    lines = [known.strip() for known in answers.split("\n")]
    return line if len(lines) <= _MOST_LINES and line.strip() in lines else ""


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


def _raise(error: BaseException, number: int | None, source: str) -> NoReturn:
    """Raise `error` from a frame that looks like the student's line and not like the engine.

    Tests tell a student the line that went wrong; they find it in the innermost frame.
    """
    # It is the student's word, and may be any number.
    blank = min(max(number or 1, 1), 10_000) - 1
    lines = [""] * blank + [source[:500]]
    linecache.cache["<answer>"] = (len(lines[-1]), None, lines, "<answer>")
    code = compile("\n" * blank + "raise error", "<answer>", "exec")
    exec(code, {"error": error})
    raise AssertionError("unreachable")


#: Their constructors want other arguments than one text.
_TROUBLESOME = (
    UnicodeEncodeError,
    UnicodeDecodeError,
    UnicodeTranslateError,
    ExceptionGroup,
)
