"""The conversation between a student's process and the judge's, over one socket.

Both ends are a `Peer`. A request is answered by a reply; while one end waits for its reply it
serves requests of the other, so that a test may pass a function to the student's code and be
called back. The ends differ in what they are willing to do: the student's (`answering`) does with
its own objects whatever it is asked; the judge's (`asking`) lets only those functions be called
that a test has passed on purpose.
"""

from __future__ import annotations

import socket
import struct
from typing import Any

import numpy as np

from fastgrade.rpc import values as library_values
from fastgrade.rpc.codec import Decoder, Encoder, WireError, receive_frame, send_frame

__all__ = ["CALLABLE", "ITERATOR", "NUMBER", "OBJECT", "Peer", "merge", "merge_arguments"]

#: What an object that stays behind is.
OBJECT, CALLABLE, ITERATOR = 0, 1, 2
#: How the number of one is written.
NUMBER = struct.Struct(">Q")
MAX_NESTING = 40
#: Generators that one call may spawn from one that it was given.
MAX_SPAWNED = 100_000


class Peer:
    """One end of the conversation.

    Parameters
    ----------
    channel : socket.socket
        Connected to the other end.
    limit : int
        Bytes of the longest message.
    """

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


def merge_arguments(args: tuple, kwargs: dict, changed: Any) -> None:
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
    if library_values.merge(old, new):
        return old
    if isinstance(old, np.ndarray):
        if not isinstance(new, np.ndarray) or old.shape != new.shape or old.dtype != new.dtype:
            return new
        if old.flags.writeable and old.tobytes() != new.tobytes():
            old[...] = new
        return old
    if type(old) is list and type(new) is list:
        items = [merge(a, b) for a, b in zip(old, new, strict=False)]
        old[:] = items + new[len(items) :]
        return old
    if isinstance(old, dict) and type(old) is type(new):
        values = {key: merge(old[key], new[key]) if key in old else new[key] for key in new}
        old.clear()
        old.update(values)
        return old
    if type(old) is set and type(new) is set:
        old.clear()
        old.update(new)
        return old
    if type(old) is tuple and type(new) is tuple and len(old) == len(new):
        merged = tuple(merge(a, b) for a, b in zip(old, new, strict=True))
        return old if all(a is b for a, b in zip(old, merged, strict=True)) else merged
    if isinstance(old, np.random.Generator) and isinstance(new, np.random.Generator):
        _merge_bits(old.bit_generator, new.bit_generator)
        return old
    if isinstance(old, np.random.RandomState) and isinstance(new, np.random.RandomState):
        if type(old._bit_generator) is type(new._bit_generator):
            old.set_state(new.get_state(legacy=False))
        return old
    if isinstance(old, np.random.BitGenerator) and isinstance(new, np.random.BitGenerator):
        _merge_bits(old, new)
        return old
    if isinstance(old, np.random.SeedSequence) and isinstance(new, np.random.SeedSequence):
        _merge_seed(old, new)
        return old
    return new


def _merge_bits(old: np.random.BitGenerator, new: np.random.BitGenerator) -> None:
    if type(old) is type(new):
        old.state = new.state
        _merge_seed(old.seed_seq, new.seed_seq)


def _merge_seed(old: Any, new: Any) -> None:
    """Spawn as many from `old` as have been spawned from its copy, so that the next are others."""
    if not all(isinstance(seed, np.random.SeedSequence) for seed in (old, new)):
        return
    spawned = new.n_children_spawned - old.n_children_spawned
    if spawned > MAX_SPAWNED:
        raise WireError(f"malformed reply: a call has spawned {spawned} generators")
    if spawned > 0:
        old.spawn(spawned)
