"""What may cross between a student's process and the judge's, and nothing else.

Plain data only: None, bool, int, float, complex, str, bytes, list, tuple, set, dict, slice,
numeric arrays and scalars, random generators by their state and seed, values of libraries by their
parts (`values`), a few types by name, and opaque handles for callables and objects that stay where
they are. A frame is a length and a
payload; a payload is one value; a value is a tag byte and its content. Decoding never runs code
that the sender chose, never allocates more than a fixed multiple of what it received, and raises
`WireError` on everything else.

Format in short (big-endian; ``u`` is an unsigned 32-bit length)::

    N T F            None, True, False          i u bytes       int, two's complement
    d 8 bytes        float                      c 16 bytes      complex
    s u utf-8        str                        b u bytes       bytes
    l u values       list                       t u values      tuple
    S u values       set                        Z u values      frozenset
    D u key value..  dict                       L 3 values      slice
    a dtype flags ndim shape bytes  array       n dtype bytes   NumPy scalar
    u names values   tuple with names           y name          a type, by name
    x name parts     a value of a library
    B name state seed  bit generator; the seed is N if it is none that can cross
    Q seed           SeedSequence, by entropy, spawn key, size of the pool, number of children
    G B..            Generator                  R B.. gauss     RandomState
    h kind id meta   handle of the sender       H id            handle of the receiver
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from fastgrade.rpc import WireError, generators, values

__all__ = ["Decoder", "Encoder", "Record", "WireError", "receive_frame", "send_frame"]

MAX_DEPTH = 64
MAX_ITEMS = 1_000_000
MAX_KEYS = 100_000
MAX_INT_BYTES = 512
MAX_NDIM = 32

_U = struct.Struct(">I")
_Q = struct.Struct(">Q")
_D = struct.Struct(">d")
_C = struct.Struct(">dd")

_DTYPES = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
_DTYPE_CODE = {np.dtype("<" + name).str[1:]: index for index, name in enumerate(_DTYPES)}
_DTYPE_OF = tuple(np.dtype("<" + name) for name in _DTYPES)

_TYPES: dict[str, type] = {
    "bool": bool,
    "int": int,
    "float": float,
    "complex": complex,
    "str": str,
    "list": list,
    "tuple": tuple,
    "dict": dict,
    "set": set,
    "numpy.ndarray": np.ndarray,
    **{
        f"numpy.{name}": getattr(np, name)
        for name in (
            *("bool_", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
            *("float16", "float32", "float64", "complex64", "complex128"),
        )
    },
}
_TYPE_NAMES = {kind: name for name, kind in _TYPES.items()}


class Record(tuple):
    """A tuple whose items also have names: what is left of a named tuple after crossing."""

    _fields: tuple[str, ...]

    def __new__(cls, values: tuple, names: tuple[str, ...]) -> Record:
        """Return `values` with `names` for its items."""
        self = super().__new__(cls, values)
        self._fields = names
        return self

    def __getattr__(self, name: str) -> Any:
        fields = self.__dict__.get("_fields", ())
        if name in fields:
            return self[fields.index(name)]
        raise AttributeError(name)


class Encoder:
    """Turn a value into bytes.

    Parameters
    ----------
    export : callable, optional
        Called with an object that is not plain data; returns ``(kind, id, meta)`` for an object
        that stays here, or an int for one that came from the receiver. Without it such objects
        raise `WireError`.
    """

    def __init__(self, export: Callable[[Any], tuple[int, int, Any] | int] | None = None):
        self._export = export

    def encode(self, value: Any) -> bytes:
        """Return the payload of `value`."""
        parts: list[bytes] = []
        self._put(value, parts, 0)
        return b"".join(parts)

    def _put(self, value: Any, out: list[bytes], depth: int) -> None:
        if depth > MAX_DEPTH:
            raise WireError(f"value must be nested at most {MAX_DEPTH} deep")
        kind = type(value)
        writer = _WRITERS.get(kind)
        if writer is not None:
            writer(value, out)
        elif kind is list:
            self._sequence(b"l", value, out, depth)
        elif kind is tuple:
            self._sequence(b"t", value, out, depth)
        elif kind is dict:
            self._mapping(value, out, depth)
        elif kind is np.ndarray:
            self._array(value, out, depth)
        else:
            self._rare(value, out, depth)

    def _sequence(self, tag: bytes, value: Any, out: list[bytes], depth: int) -> None:
        out.append(tag + _U.pack(len(value)))
        for item in value:
            self._put(item, out, depth + 1)

    def _mapping(self, value: dict, out: list[bytes], depth: int) -> None:
        out.append(b"D" + _U.pack(len(value)))
        for key, item in dict.items(value):
            self._put(key, out, depth + 1)
            self._put(item, out, depth + 1)

    def _array(self, value: np.ndarray, out: list[bytes], depth: int) -> None:
        code = _DTYPE_CODE.get(value.dtype.str[1:])
        if code is None:
            if not self._known(value, out, depth):
                self._foreign(value, out, depth)
            return
        array = np.asarray(value, dtype=value.dtype.newbyteorder("<"))
        fortran = array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous
        flags = fortran | (not value.flags.writeable) << 1
        out.append(struct.pack(">cBBB", b"a", code, flags, array.ndim))
        out.append(struct.pack(f">{array.ndim}Q", *array.shape))
        out.append(array.tobytes("F" if fortran else "C"))

    def _rare(self, value: Any, out: list[bytes], depth: int) -> None:
        if getattr(type(value), "stays_behind", False):
            self._foreign(value, out, depth)
            return
        if self._known(value, out, depth):
            return
        if isinstance(value, np.generic):
            code = _DTYPE_CODE.get(value.dtype.str[1:])
            if code is not None:
                out.append(b"n" + bytes([code]))
                out.append(np.asarray(value, value.dtype.newbyteorder("<")).tobytes())
                return
            if isinstance(value, np.str_):
                _put_str(str.__str__(value), out)
                return
        if isinstance(value, np.ndarray):
            self._array(np.asarray(value).view(np.ndarray), out, depth)
        elif isinstance(value, type):
            name = _TYPE_NAMES.get(value)
            if name is None:
                self._foreign(value, out, depth)
            else:
                out.append(b"y")
                _put_str(name, out)
        elif isinstance(value, int):
            _put_int(int.__index__(value), out)
        elif isinstance(value, float):
            _put_float(float.__float__(value), out)
        elif isinstance(value, str):
            _put_str(str.__str__(value), out)
        elif isinstance(value, tuple):
            self._tuple(value, out, depth)
        elif isinstance(value, list):
            self._sequence(b"l", list(list.__iter__(value)), out, depth)
        elif isinstance(value, dict):
            self._mapping(value, out, depth)
        elif isinstance(value, set | frozenset):
            tag = b"S" if isinstance(value, set) else b"Z"
            self._sequence(tag, list(value), out, depth)
        elif isinstance(value, slice):
            out.append(b"L")
            for item in (value.start, value.stop, value.step):
                self._put(item, out, depth + 1)
        elif isinstance(value, generators.KINDS):
            self._random(value, out, depth)
        else:
            self._foreign(value, out, depth)

    def _known(self, value: Any, out: list[bytes], depth: int) -> bool:
        known = values.plain_of(value)
        if known is None:
            return False
        out.append(b"x")
        for part in known:
            self._put(part, out, depth + 1)
        return True

    def _random(self, value: Any, out: list[bytes], depth: int) -> None:
        known = generators.plain_of(value)
        if known is None:
            self._foreign(value, out, depth)
            return
        tag, *parts = known
        out.append(tag)
        for part in parts:
            self._put(part, out, depth + 1)

    def _tuple(self, value: tuple, out: list[bytes], depth: int) -> None:
        names = getattr(value, "_fields", None)
        named = (
            isinstance(names, tuple)
            and len(names) == tuple.__len__(value)
            and all(type(name) is str and name.isidentifier() for name in names)
        )
        if names is not None and named:
            out.append(b"u")
            self._put(list(names), out, depth + 1)
        self._sequence(b"t", tuple(tuple.__iter__(value)), out, depth)

    def _foreign(self, value: Any, out: list[bytes], depth: int) -> None:
        if self._export is None:
            raise WireError(f"value must be plain data, got {type(value).__name__}")
        exported = self._export(value)
        if isinstance(exported, int):
            out.append(b"H" + _Q.pack(exported))
            return
        kind, number, meta = exported
        out.append(b"h" + bytes([kind]) + _Q.pack(number))
        self._put(meta, out, depth + 1)


def _put_int(value: int, out: list[bytes]) -> None:
    size = value.bit_length() // 8 + 1
    if size > MAX_INT_BYTES:
        raise WireError(f"int must have at most {MAX_INT_BYTES} bytes, got {size}")
    out.append(b"i" + _U.pack(size) + value.to_bytes(size, "big", signed=True))


def _put_float(value: float, out: list[bytes]) -> None:
    out.append(b"d" + _D.pack(value))


def _put_str(value: str, out: list[bytes]) -> None:
    data = value.encode("utf-8", "surrogatepass")
    out.append(b"s" + _U.pack(len(data)))
    out.append(data)


def _put_bytes(value: bytes, out: list[bytes]) -> None:
    out.append(b"b" + _U.pack(len(value)))
    out.append(value)


_WRITERS: dict[type, Callable[[Any, list[bytes]], None]] = {
    type(None): lambda value, out: out.append(b"N"),
    bool: lambda value, out: out.append(b"T" if value else b"F"),
    int: _put_int,
    float: _put_float,
    complex: lambda value, out: out.append(b"c" + _C.pack(value.real, value.imag)),
    str: _put_str,
    bytes: _put_bytes,
}


class Decoder:
    """Turn bytes back into a value.

    Parameters
    ----------
    remote : callable, optional
        Called as ``remote(kind, id, meta)`` for an object that stays with the sender.
    local : callable, optional
        Called as ``local(id)`` for an object that the receiver had handed out; raises `KeyError`
        if there is none.
    """

    def __init__(
        self,
        remote: Callable[[int, int, Any], Any] | None = None,
        local: Callable[[int], Any] | None = None,
    ):
        self._remote = remote
        self._local = local
        self.handles = 0

    def decode(self, data: bytes | bytearray | memoryview) -> Any:
        """Return the one value that `data` holds.

        Raises
        ------
        WireError
            If `data` is anything else than one well-formed value.
        """
        self._data = memoryview(data)
        self._size = len(self._data)
        self._at = 0
        self._items = 0
        self.handles = 0
        try:
            value = self._get(0)
        except (struct.error, UnicodeDecodeError, OverflowError, MemoryError) as error:
            raise WireError(f"malformed value: {error}") from None
        if self._at != self._size:
            raise WireError(f"malformed value: {self._size - self._at} bytes too many")
        return value

    def _take(self, count: int) -> memoryview:
        start = self._at
        stop = start + count
        if count < 0 or stop > self._size:
            raise WireError("malformed value: it ends too early")
        self._at = stop
        return self._data[start:stop]

    def _length(self) -> int:
        return _U.unpack(self._take(4))[0]

    def _count(self, limit: int = MAX_ITEMS) -> int:
        count = self._length()
        self._items += count
        if count > self._size - self._at or self._items > MAX_ITEMS or count > limit:
            raise WireError(f"malformed value: {count} items")
        return count

    def _get(self, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise WireError(f"malformed value: nested deeper than {MAX_DEPTH}")
        tag = self._take(1)[0]
        reader = _READERS.get(tag)
        if reader is None:
            raise WireError(f"malformed value: unknown tag {tag}")
        return reader(self, depth)

    def _int(self, depth: int) -> int:
        size = self._length()
        if not 1 <= size <= MAX_INT_BYTES:
            raise WireError(f"malformed value: int of {size} bytes")
        return int.from_bytes(self._take(size), "big", signed=True)

    def _float(self, depth: int) -> float:
        return _D.unpack(self._take(8))[0]

    def _complex(self, depth: int) -> complex:
        return complex(*_C.unpack(self._take(16)))

    def _str(self, depth: int) -> str:
        return str(self._take(self._length()), "utf-8", "surrogatepass")

    def _bytes(self, depth: int) -> bytes:
        return bytes(self._take(self._length()))

    def _list(self, depth: int) -> list:
        return [self._get(depth + 1) for _ in range(self._count())]

    def _tuple(self, depth: int) -> tuple:
        return tuple(self._list(depth))

    def _keys(self, depth: int) -> list:
        return [self._key(depth + 1) for _ in range(self._count(MAX_KEYS))]

    def _set(self, depth: int) -> set:
        return set(self._keys(depth))

    def _frozenset(self, depth: int) -> frozenset:
        return frozenset(self._keys(depth))

    def _dict(self, depth: int) -> dict:
        return {self._key(depth + 1): self._get(depth + 1) for _ in range(self._count(MAX_KEYS))}

    def _key(self, depth: int) -> Any:
        key = self._get(depth)
        _check_key(key, 0)
        return key

    def _slice(self, depth: int) -> slice:
        return slice(*(self._get(depth + 1) for _ in range(3)))

    def _dtype(self) -> np.dtype:
        code = self._take(1)[0]
        if code >= len(_DTYPE_OF):
            raise WireError(f"malformed value: unknown dtype {code}")
        return _DTYPE_OF[code]

    def _array(self, depth: int) -> np.ndarray:
        dtype = self._dtype()
        flags, ndim = self._take(2)
        if ndim > MAX_NDIM or flags > 3:
            raise WireError(f"malformed value: array of {ndim} dimensions")
        shape = struct.unpack(f">{ndim}Q", self._take(8 * ndim))
        size, extent = dtype.itemsize, dtype.itemsize
        for length in shape:
            size *= length
            extent *= max(length, 1)
        if extent >= 2**62:
            raise WireError(f"malformed value: array of shape {shape}")
        raw = self._take(size)
        order: Literal["F", "C"] = "F" if flags & 1 else "C"
        array = np.empty(shape, dtype, order)
        flat = np.frombuffer(raw, "u1" if dtype.kind == "b" else dtype)
        # A bool made of any other byte than 0 and 1 would compare and count wrongly.
        array.reshape(-1, order=order)[...] = flat != 0 if dtype.kind == "b" else flat
        array.flags.writeable = not flags & 2
        return array

    def _scalar(self, depth: int) -> np.generic:
        dtype = self._dtype()
        raw = self._take(dtype.itemsize)
        if dtype.kind == "b":
            return np.bool_(raw[0] != 0)
        return np.frombuffer(raw, dtype)[0]

    def _record(self, depth: int) -> Record:
        names, values = self._get(depth + 1), self._get(depth + 1)
        good = (
            type(names) is list
            and type(values) is tuple
            and len(names) == len(values)
            and all(type(name) is str and name.isidentifier() for name in names)
            and not any(name.startswith("__") for name in names)
        )
        if not good:
            raise WireError("malformed value: a tuple whose names do not fit")
        return Record(values, tuple(names))

    def _type(self, depth: int) -> type:
        name = self._get(depth + 1)
        if type(name) is not str or name not in _TYPES:
            raise WireError("malformed value: unknown type")
        return _TYPES[name]

    def _value(self, depth: int) -> Any:
        return values.value_from(self._get(depth + 1), self._get(depth + 1))

    def _bit_generator(self, depth: int) -> np.random.BitGenerator:
        return generators.bits_from(*(self._get(depth + 1) for _ in range(3)))

    def _generator(self, depth: int) -> np.random.Generator:
        return np.random.Generator(generators.checked_bits(self._get(depth + 1)))

    def _random_state(self, depth: int) -> np.random.RandomState:
        return generators.legacy_from(self._get(depth + 1), self._get(depth + 1))

    def _seed_sequence(self, depth: int) -> np.random.SeedSequence:
        return generators.sequence_from(self._get(depth + 1))

    def _remote_handle(self, depth: int) -> Any:
        kind = self._take(1)[0]
        number = _Q.unpack(self._take(8))[0]
        meta = self._get(depth + 1)
        if self._remote is None:
            raise WireError("malformed value: a handle where none may be")
        self.handles += 1
        return self._remote(kind, number, meta)

    def _local_handle(self, depth: int) -> Any:
        number = _Q.unpack(self._take(8))[0]
        if self._local is None:
            raise WireError("malformed value: a handle where none may be")
        self.handles += 1
        try:
            return self._local(number)
        except KeyError:
            raise WireError(f"malformed value: no object {number}") from None


_READERS: dict[int, Callable[[Decoder, int], Any]] = {
    ord("N"): lambda decoder, depth: None,
    ord("T"): lambda decoder, depth: True,
    ord("F"): lambda decoder, depth: False,
    ord("i"): Decoder._int,
    ord("d"): Decoder._float,
    ord("c"): Decoder._complex,
    ord("s"): Decoder._str,
    ord("b"): Decoder._bytes,
    ord("l"): Decoder._list,
    ord("t"): Decoder._tuple,
    ord("S"): Decoder._set,
    ord("Z"): Decoder._frozenset,
    ord("D"): Decoder._dict,
    ord("L"): Decoder._slice,
    ord("a"): Decoder._array,
    ord("n"): Decoder._scalar,
    ord("u"): Decoder._record,
    ord("x"): Decoder._value,
    ord("y"): Decoder._type,
    ord("B"): Decoder._bit_generator,
    ord("G"): Decoder._generator,
    ord("Q"): Decoder._seed_sequence,
    ord("R"): Decoder._random_state,
    ord("h"): Decoder._remote_handle,
    ord("H"): Decoder._local_handle,
}


def _check_key(key: Any, depth: int) -> None:
    """Refuse keys whose hash the sender can choose: many equal hashes would stall the receiver."""
    kind = type(key)
    if kind in (str, bytes, float, bool, type(None)) or isinstance(key, values.HASHED):
        return
    if kind is int and -(2**63) <= key < 2**64:
        return
    if isinstance(key, np.bool_ | np.integer | np.floating):
        return
    if kind in (tuple, frozenset) and depth < 4 and len(key) <= 32:
        for item in key:
            _check_key(item, depth + 1)
        return
    raise WireError(f"malformed value: {kind.__name__} as a key")


def send_frame(channel: socket.socket, payload: bytes) -> None:
    """Send one payload with its length in front."""
    size = len(payload)
    if size >= 2**32:
        raise WireError(f"message must be below 4 GiB, got {size} bytes")
    if size < 65536:
        channel.sendall(_U.pack(size) + payload)
    else:
        channel.sendall(_U.pack(size))
        channel.sendall(payload)


def receive_frame(channel: socket.socket, limit: int) -> bytearray:
    """Return the next payload.

    Raises
    ------
    EOFError
        If the other side has closed.
    WireError
        If the payload is longer than `limit` bytes.
    """
    size = _U.unpack(_receive(channel, 4))[0]
    if size > limit:
        raise WireError(f"message must be at most {limit} bytes, got {size}")
    return _receive(channel, size)


def _receive(channel: socket.socket, count: int) -> bytearray:
    # Grown as data arrives: a length alone must not make us allocate.
    data = bytearray()
    while len(data) < count:
        chunk = channel.recv(min(count - len(data), 1 << 20))
        if not chunk:
            raise EOFError("the other side has closed")
        data += chunk
    return data
