"""Frames of JSON, with open files beside them, between processes of the engine."""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from warmfork import bounded

__all__ = ["Channel", "ChannelError"]

_LENGTH = struct.Struct(">I")
_MAX_FDS = 16


class ChannelError(ValueError):
    """The other side sent something that is no message."""


class Channel:
    """One end of a conversation.

    Parameters
    ----------
    connection : socket.socket
        A connected Unix socket; owned by the channel.
    limit : int
        Size of the longest message that is read.
    """

    def __init__(self, connection: socket.socket, limit: int = 1 << 28):
        self.socket = connection
        self._limit = limit
        self._buffer = bytearray()

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self.socket.fileno()

    def send(self, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> int:
        """Send a message with open files; return its size."""
        data = json.dumps(message).encode()
        head = _LENGTH.pack(len(data))
        if descriptors:
            socket.send_fds(self.socket, [head], list(descriptors))
            self.socket.sendall(data)
        else:
            self.socket.sendall(head + data)
        return len(data)

    def receive(self) -> tuple[dict[str, Any], list[int]]:
        """Return the next message and the files that came with it.

        Raises
        ------
        EOFError
            If the other side has closed.
        ChannelError
            If the bytes are no message, or a longer one than the limit.
        """
        head, descriptors, _, _ = socket.recv_fds(self.socket, 4, _MAX_FDS)
        try:
            if not head:
                raise EOFError("the other side has closed")
            head += self._exactly(4 - len(head))
            size = _LENGTH.unpack(head)[0]
            if size > self._limit:
                raise ChannelError(f"message must be at most {self._limit} bytes, got {size}")
            message = _message(self._exactly(size))
        except BaseException:
            for descriptor in descriptors:
                os.close(descriptor)
            raise
        return message, descriptors

    def _exactly(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            chunk = self.socket.recv(min(count - len(data), 1 << 20))
            if not chunk:
                raise EOFError("the other side has closed")
            data += chunk
        return bytes(data)

    def feed(self) -> list[dict[str, Any]]:
        """Take in what has arrived, without waiting; return the messages that are complete.

        Raises
        ------
        EOFError, ChannelError
            As `receive` does.
        """
        try:
            chunk = self.socket.recv(1 << 20, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []
        except ConnectionError as error:
            raise EOFError(str(error)) from None
        if not chunk:
            raise EOFError("the other side has closed")
        self._buffer += chunk
        messages = []
        while len(self._buffer) >= 4:
            size = _LENGTH.unpack_from(self._buffer)[0]
            if size > self._limit:
                raise ChannelError(f"message must be at most {self._limit} bytes, got {size}")
            if len(self._buffer) < 4 + size:
                break
            messages.append(_message(bytes(self._buffer[4 : 4 + size])))
            del self._buffer[: 4 + size]
        return messages

    def close(self) -> None:
        """Close this end."""
        self.socket.close()


def _message(data: bytes) -> dict[str, Any]:
    try:
        message = bounded.loads(data)
    except ValueError as error:
        raise ChannelError(f"message must be JSON: {error}") from None
    if not isinstance(message, dict):
        raise ChannelError("message must be an object")
    return message
