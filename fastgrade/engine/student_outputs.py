"""What the cells of a student print and display, on its way to the grader.

Displays are made by answers and by libraries: they hold whatever Python has, and cross as JSON.
"""

from __future__ import annotations

import base64
import datetime
import io
import math
import socket
from collections.abc import Callable, Collection, Mapping
from numbers import Integral, Real
from typing import Any

from warmfork.channel import Channel

__all__ = ["Output", "Stream", "as_json"]

#: How deep what is displayed may be nested.
_MAX_DEPTH = 60


class Output(Channel):
    """The channel to the grader, which also carries what cells print and display."""

    def __init__(self, connection: socket.socket, cap: int):
        super().__init__(connection)
        self._cap = cap
        self._left = cap

    def begin(self) -> None:
        """Allow the next cell its full share of output."""
        self._left = self._cap

    def publish(self, kind: str, content: Mapping[str, Any]) -> None:
        """Send one output, unless the cell has used up its share."""
        if self._left < 0:
            return
        content = as_json(content)
        size = sum(len(str(value)) for value in content.values())
        self._left -= size
        if self._left < 0:
            self.send({"say": "cut"})
        else:
            self.send({"say": kind, "content": content})


class Stream(io.TextIOBase):
    """`sys.stdout` and `sys.stderr` as a kernel has them: text that is published when flushed."""

    encoding = "UTF-8"
    errors = "strict"

    def __init__(self, name: str, descriptor: int, publish: Callable[[str, Any], None]):
        self.name = name
        self._publish = publish
        self._descriptor = descriptor
        self._parts: list[str] = []
        self._size = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Return False: nobody types here."""
        return False

    def fileno(self) -> int:
        """Return what C code writes to."""
        return self._descriptor

    def write(self, text: str) -> int:
        """Keep a text until there is enough of it, or somebody flushes."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        self._parts.append(text)
        self._size += len(text)
        if self._size > 32768:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Publish what has been written."""
        if self._parts:
            text = "".join(self._parts)
            self._parts.clear()
            self._size = 0
            self._publish("stream", {"name": self.name, "text": text})


def as_json(value: Any, above: tuple[int, ...] = ()) -> Any:
    """Return a value as JSON can hold it: as Jupyter writes it, and where it cannot, in words.

    >>> as_json({"image/png": b"PNG", 1: float("nan"), "about": {2 + 1j}})
    {'image/png': 'UE5H', '1': 'nan', 'about': ['(2+1j)']}
    """
    if value is None or type(value) in (bool, str):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if id(value) in above or len(above) > _MAX_DEPTH:
        return "..."
    try:
        return _as_json(value, (*above, id(value)))
    except Exception:  # an object of the student may raise at every touch
        return f"<{type(value).__name__}>"


def _as_json(value: Any, above: tuple[int, ...]) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Integral):
        number = int(value)
        return number if number.bit_length() < 10_000 else hex(number)
    if isinstance(value, Real):
        real = float(value)
        return real if math.isfinite(real) else repr(real)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {str(name): as_json(item, above) for name, item in value.items()}
    if hasattr(value, "tolist"):  # arrays and numbers of NumPy
        return as_json(value.tolist(), above)
    if isinstance(value, Collection):
        return [as_json(item, above) for item in value]
    return repr(value)
