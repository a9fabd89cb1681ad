"""Values of libraries that cross as plain data: what each is made of, and how it is made again.

Nothing is made of what another process has sent before it has been checked: the makers take plain
data alone, and whatever else they raise comes out as `WireError`. A class that is derived from one
of these is not known here, and stays behind.
"""

from __future__ import annotations

import array
import datetime
import decimal
import fractions
import importlib
import pathlib
import re
import sys
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastgrade.rpc import WireError, tables

__all__ = ["HASHED", "MatchRecord", "merge", "plain_of", "value_from"]

#: Whose hashes nobody can choose; `codec` lets them be keys.
HASHED = (datetime.date, datetime.time, datetime.timedelta, pathlib.PurePath)
_FACTORIES = {kind.__name__: kind for kind in (int, float, bool, str, list, tuple, dict, set)}
_SPARSE = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
#: Digits before or after the point: an int is made of a decimal in time that grows with them.
_MAX_EXPONENT = 10_000
_MAX_SECONDS = 86_400
_SIMPLE = re.compile(r"[<>|=]?([biufc]\d{1,2}|[SU]\d{1,7}|[mM]8(\[\d{0,6}\w{1,7}\])?|O)")


class Kind(NamedTuple):
    """A type of value."""

    type: type
    #: Returns what a value is made of, None if it cannot cross.
    plain: Callable[[Any], Any]
    #: Returns the value again.
    make: Callable[[Any], Any]


class MatchRecord:
    """What a regular expression has found: a `re.Match` without the expression."""

    def __init__(self, text: str, spans: list[tuple[int, int]], names: dict[str, int]):
        self.string, self._spans, self._names = text, spans, names

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """Return `re.Match`, for `isinstance`."""
        return re.Match

    def _place(self, group: int | str) -> int:
        place = self._names.get(group, -1) if isinstance(group, str) else group
        if not 0 <= place < len(self._spans):
            raise IndexError("no such group")
        return place

    def span(self, group: int | str = 0) -> tuple[int, int]:
        """Return where a group begins and ends."""
        return self._spans[self._place(group)]

    def start(self, group: int | str = 0) -> int:
        """Return where a group begins."""
        return self.span(group)[0]

    def end(self, group: int | str = 0) -> int:
        """Return where a group ends."""
        return self.span(group)[1]

    def _text(self, group: int | str, default: Any = None) -> Any:
        start, end = self.span(group)
        return default if start < 0 else self.string[start:end]

    def group(self, *groups: int | str) -> Any:
        """Return the text of one group, or of several."""
        found = tuple(self._text(group) for group in groups or (0,))
        return found if len(found) > 1 else found[0]

    __getitem__ = _text

    def groups(self, default: Any = None) -> tuple[Any, ...]:
        """Return the texts of all groups."""
        return tuple(self._text(group, default) for group in range(1, len(self._spans)))

    def groupdict(self, default: Any = None) -> dict[str, Any]:
        """Return the texts of the groups that have names."""
        return {name: self._text(name, default) for name in self._names}

    @property
    def lastindex(self) -> int | None:
        """The number of the last group that has matched."""
        found = [place for place in range(1, len(self._spans)) if self._spans[place][0] >= 0]
        return max(found, default=None)


def _match_plain(match: re.Match[Any]) -> Any:
    spans = [match.span(group) for group in range(match.re.groups + 1)]
    return (match.string, spans, dict(match.re.groupindex))


def _match(plain: Any) -> MatchRecord:
    text, spans, names = plain
    good = type(text) is str and type(spans) is list and type(names) is dict
    good = good and all(type(n) is str and type(p) is int for n, p in names.items())
    for start, end in spans:
        good = good and type(start) is int and type(end) is int and -1 <= start <= end <= len(text)
    return MatchRecord(text, list(map(tuple, spans)), _checked(names, good))


def _checked(value: Any, good: bool) -> Any:
    if not good:
        raise WireError("malformed value: its parts do not fit")
    return value


def _of(value: Any, *kinds: type) -> Any:
    return _checked(value, type(value) in kinds)


def _factory_plain(value: defaultdict[Any, Any]) -> Any:
    name = getattr(value.default_factory, "__name__", None)
    if value.default_factory is not None and _FACTORIES.get(str(name)) is not value.default_factory:
        return None
    return name, dict(value)


def _zone_plain(zone: Any) -> Any:
    """Return the seconds of a fixed zone, None for none; False of one that cannot be told."""
    if zone is None:
        return None
    if type(zone) is not datetime.timezone:
        return False
    return zone.utcoffset(None).total_seconds()


def _zone(seconds: Any) -> datetime.timezone | None:
    if seconds is None:
        return None
    _checked(seconds, type(seconds) is float and abs(seconds) < _MAX_SECONDS)
    return datetime.timezone(datetime.timedelta(seconds=seconds))


def _moment_plain(value: Any, *names: str) -> Any:
    zone = _zone_plain(value.tzinfo)
    return None if zone is False else (*(getattr(value, name) for name in names), value.fold, zone)


_DAY, _CLOCK = ("year", "month", "day"), ("hour", "minute", "second", "microsecond")


def _decimal(text: Any) -> decimal.Decimal:
    value = decimal.Decimal(_checked(text, type(text) is str and len(text) <= 2 * _MAX_EXPONENT))
    return _checked(value, not value.is_finite() or abs(value.adjusted()) <= _MAX_EXPONENT)


def _path(kind: type) -> Callable[[Any], Any]:
    return lambda text: kind(_checked(text, type(text) is str and "\0" not in text))


def _pairs(plain: Any) -> Any:
    return _checked(plain, type(plain) is list and all(type(pair) is tuple for pair in plain))


def _view(name: str) -> Callable[[Any], Any]:
    return lambda plain: getattr(dict(_of(plain, dict)), name)()


def _values_view(plain: Any) -> Any:
    return dict(enumerate(_of(plain, list))).values()


_TYPECODES = "bBhHiIlLqQfd"
_DICT: dict[Any, Any] = {}

_STANDARD = {
    "Counter": Kind(Counter, dict, lambda p: Counter(_of(p, dict))),
    "OrderedDict": Kind(OrderedDict, lambda v: list(v.items()), lambda p: OrderedDict(_pairs(p))),
    "defaultdict": Kind(
        defaultdict,
        _factory_plain,
        lambda p: defaultdict(None if p[0] is None else _FACTORIES[p[0]], _of(p[1], dict)),
    ),
    "deque": Kind(
        deque, lambda v: (list(v), v.maxlen), lambda p: deque(_of(p[0], list), maxlen=p[1])
    ),
    "Fraction": Kind(
        fractions.Fraction,
        lambda v: (v.numerator, v.denominator),
        lambda p: fractions.Fraction(_of(p[0], int), _of(p[1], int)),
    ),
    "Decimal": Kind(decimal.Decimal, str, _decimal),
    "date": Kind(datetime.date, lambda v: (v.year, v.month, v.day), lambda p: datetime.date(*p)),
    "datetime": Kind(
        datetime.datetime,
        lambda v: _moment_plain(v, *_DAY, *_CLOCK),
        lambda p: datetime.datetime(*p[:7], fold=p[7]).replace(tzinfo=_zone(p[8])),
    ),
    "time": Kind(
        datetime.time,
        lambda v: _moment_plain(v, *_CLOCK),
        lambda p: datetime.time(*p[:4], fold=p[4]).replace(tzinfo=_zone(p[5])),
    ),
    "timedelta": Kind(
        datetime.timedelta,
        lambda v: (v.days, v.seconds, v.microseconds),
        lambda p: datetime.timedelta(*(_of(part, int) for part in p)),
    ),
    "timezone": Kind(datetime.timezone, _zone_plain, _zone),
    "Path": Kind(type(pathlib.Path()), str, _path(pathlib.Path)),
    "PurePosixPath": Kind(pathlib.PurePosixPath, str, _path(pathlib.PurePosixPath)),
    "range": Kind(
        range,
        lambda v: (v.start, v.stop, v.step),
        lambda p: range(*(_of(part, int) for part in p)),
    ),
    "bytearray": Kind(bytearray, bytes, lambda p: bytearray(_of(p, bytes))),
    "Ellipsis": Kind(type(...), lambda v: (), lambda p: ...),
    "NotImplemented": Kind(type(NotImplemented), lambda v: (), lambda p: NotImplemented),
    "Match": Kind(re.Match, _match_plain, _match),
    "dict_keys": Kind(type(_DICT.keys()), dict.fromkeys, _view("keys")),
    "dict_items": Kind(type(_DICT.items()), dict, _view("items")),
    "dict_values": Kind(type(_DICT.values()), list, _values_view),
    "SimpleNamespace": Kind(
        types.SimpleNamespace, lambda v: dict(vars(v)), lambda p: types.SimpleNamespace(**p)
    ),
    "array": Kind(
        array.array,
        lambda v: (v.typecode, v.tobytes()) if v.typecode in _TYPECODES else None,
        lambda p: array.array(
            _checked(p[0], type(p[0]) is str and p[0] in tuple(_TYPECODES)), _of(p[1], bytes)
        ),
    ),
}


# --------------------------------------------------------------------------- NumPy


def _dtype(text: Any) -> np.dtype[Any]:
    _checked(text, type(text) is str and _SIMPLE.fullmatch(text) is not None)
    return np.dtype(text)


def _is_simple(dtype: np.dtype[Any]) -> bool:
    return _SIMPLE.fullmatch(dtype.str) is not None and dtype.names is None


def _array_plain(value: np.ndarray) -> Any:
    """Return what an array of texts, dates, objects or records is made of."""
    dtype = value.dtype
    if dtype.names is not None:
        if not all(_is_simple(dtype[name]) for name in dtype.names):
            return None
        return (
            [(n, dtype[n].str) for n in dtype.names],
            value.shape,
            [value[n] for n in dtype.names],
        )
    if not _is_simple(dtype):
        return None
    flat = value.reshape(-1)
    return dtype.str, value.shape, flat.view("i8") if dtype.kind in "mM" else flat.tolist()


def _array(plain: Any) -> np.ndarray:
    about, shape, content = plain
    _checked(shape, type(shape) is tuple and all(type(n) is int and n >= 0 for n in shape))
    if type(about) is list:
        dtype = np.dtype([(_of(name, str), _dtype(text)) for name, text in about])
        parts = [np.asarray(_of(part, np.ndarray)) for part in content]
        _checked(parts, len(parts) == len(about) and all(part.shape == shape for part in parts))
        records = np.empty(shape, dtype)
        for name, part in zip(dtype.names or (), parts, strict=True):
            records[name] = part
        return records
    dtype, count = _dtype(about), int(np.prod(shape, dtype=object))
    _checked(content, len(content) == count)
    if dtype.kind in "mM":
        return (
            _checked(content, content.dtype == "i8" and content.ndim == 1)
            .view(dtype)
            .reshape(shape)
        )
    kinds = {"U": str, "S": bytes}
    _checked(content, type(content) is list)
    if dtype.kind in kinds:
        longest = dtype.itemsize // (4 if dtype.kind == "U" else 1)
        # A number of letters alone must not make us allocate.
        good = all(type(item) is kinds[dtype.kind] and len(item) <= longest for item in content)
        size = sum(map(len, content))
        _checked(content, good and count * longest <= 1_000_000 + 100 * size)
        return np.array(content, dtype).reshape(shape)
    _checked(dtype, dtype.kind == "O")
    objects = np.empty(count, object)
    for place, item in enumerate(content):
        objects[place] = item
    return objects.reshape(shape)


def _moment64_plain(value: Any) -> Any:
    return value.dtype.str, int(value.view("i8"))


def _moment64(plain: Any) -> Any:
    return np.array(_of(plain[1], int), "i8").view(_checked(_dtype(plain[0]), plain[0][1] in "mM"))[
        ()
    ]


def _masked(plain: Any) -> np.ma.MaskedArray:
    data, mask, fill = plain
    _checked(data, isinstance(data, np.ndarray) and isinstance(mask, np.ndarray))
    _checked(mask, mask.dtype == bool and mask.shape in (data.shape, ()))
    return np.ma.MaskedArray(data, mask if mask.shape else bool(mask), fill_value=fill)


_NUMPY = {
    "ndarray": Kind(np.ndarray, _array_plain, _array),
    "dtype": Kind(np.dtype, lambda v: v.str if _is_simple(v) else None, _dtype),
    "datetime64": Kind(np.datetime64, _moment64_plain, _moment64),
    "timedelta64": Kind(np.timedelta64, _moment64_plain, _moment64),
    "matrix": Kind(np.matrix, np.asarray, lambda p: np.asmatrix(_checked(p, np.ndim(p) == 2))),
    "MaskedArray": Kind(
        np.ma.MaskedArray,
        lambda v: (np.asarray(v.data), np.asarray(v.mask), v.fill_value),
        _masked,
    ),
}


# --------------------------------------------------------------------------- other libraries


def _record(module: str, name: str) -> Kind:
    """Return a dict whose items are attributes, too, of a library."""
    kind = getattr(importlib.import_module(module), name)
    return Kind(kind, dict, lambda p: kind(_of(p, dict)) if name != "Bunch" else kind(**p))


def _sparse_kind(module: str, name: str) -> Kind:
    sparse = importlib.import_module(module)
    kind = getattr(sparse, name)

    def plain(value: Any) -> Any:
        parts = value.tocoo()
        return parts.shape, parts.data, tuple(parts.coords)

    def make(parts: Any) -> Any:
        shape, data, coordinates = parts
        good = len(coordinates) == len(shape) and all(type(n) is int and n < 2**31 for n in shape)
        good = good and all(c.dtype.kind == "i" and c.shape == data.shape for c in coordinates)
        _checked(shape, good and max((*shape, 0)) <= 10_000_000 and data.ndim == 1)
        return kind(sparse.coo_array((data, coordinates), shape=shape))

    return Kind(kind, plain, make)


#: By the name of the type: where it is, and how its kind is made. They are imported when needed.
_ELSEWHERE: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "OptimizeResult": ("scipy.optimize", _record),
    "Bunch": ("sklearn.utils", _record),
    **{
        f"{name}_{suffix}": ("scipy.sparse", _sparse_kind)
        for name in _SPARSE
        for suffix in ("matrix", "array")
    },
    **dict.fromkeys(tables.NAMES, ("pandas", tables.kind_of)),
}
_KNOWN: dict[str, Kind] = {**_STANDARD, **_NUMPY}
_NAMES: dict[type, str] = {kind.type: name for name, kind in _KNOWN.items()}


def plain_of(value: Any) -> tuple[str, Any] | None:
    """Return the name of a value's type and what it is made of, None of one that is not known."""
    kind = type(value)
    name = _NAMES.get(kind)
    if name is None and isinstance(value, np.dtype):
        name = "dtype"
    if name is None:
        label = str(kind.__name__)
        home = _ELSEWHERE.get(label)
        if home is None or home[0].partition(".")[0] not in sys.modules:
            return None
        if _kind(label).type is not kind:
            return None
        name = label
    plain = _KNOWN[name].plain(value)
    return None if plain is None else (name, plain)


def _kind(name: str) -> Kind:
    if name not in _KNOWN:
        module, make = _ELSEWHERE[name]
        _KNOWN[name] = Kind(*make(module, name))
    return _KNOWN[name]


def value_from(name: Any, plain: Any) -> Any:
    """Return the value of that type and of these parts.

    Raises
    ------
    WireError
        If there is no such value.
    """
    if type(name) is not str or (name not in _KNOWN and name not in _ELSEWHERE):
        raise WireError("malformed value: unknown type")
    try:
        return _kind(name).make(plain)
    except WireError:
        raise
    except Exception as error:
        raise WireError(f"malformed value: {name}: {str(error)[:200]}") from None


def merge(old: Any, new: Any) -> bool:
    """Bring a value that can change to the state of `new`; return whether it is one that can."""
    if type(old) is not type(new):
        return False
    if isinstance(old, deque):
        old.clear()
        old.extend(new)
    elif isinstance(old, bytearray | array.array):
        old[:] = new
    elif isinstance(old, types.SimpleNamespace):
        vars(old).clear()
        vars(old).update(vars(new))
    elif type(old).__module__.partition(".")[0] == "pandas" and hasattr(old, "iloc"):
        old.__init__(new)
    else:
        return False
    return True
