"""Tables of pandas as plain data: columns by their values, an index by what it is made of.

Columns of numbers, texts, dates without zones, objects and categories cross, and pandas's own
nullable ones; a table with any other stays behind.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrade.rpc import WireError

__all__ = ["NAMES", "kind_of"]

NAMES = (
    *("DataFrame", "Series", "Index", "RangeIndex", "MultiIndex", "DatetimeIndex"),
    *("TimedeltaIndex", "CategoricalIndex", "Categorical", "Timestamp", "Timedelta"),
    *("NaTType", "NAType"),
)
_NULLABLE = {
    f"{sign}{kind}{bits}"
    for sign, kind, sizes in (
        ("", "Int", (8, 16, 32, 64)),
        ("U", "Int", (8, 16, 32, 64)),
        ("", "Float", (32, 64)),
    )
    for bits in sizes
} | {"boolean"}
_LABELS = (str, int, float, bool, tuple, type(None))


def kind_of(module: str, name: str) -> tuple[Any, ...]:
    """Return a type of pandas, what makes plain data of it, and what makes it again."""
    pd = importlib.import_module(module)
    if name in ("NaTType", "NAType"):
        single = pd.NaT if name == "NaTType" else pd.NA
        return type(single), lambda value: (), lambda plain: single
    if name in ("Timestamp", "Timedelta"):
        kind = getattr(pd, name)
        moment = np.datetime64 if name == "Timestamp" else np.timedelta64

        def make(plain: Any) -> Any:
            return kind(_demand(plain, isinstance(plain, moment)))

        return kind, lambda v: None if getattr(v, "tz", None) else v.to_numpy(), make
    return getattr(pd, name), *_PARTS.get(name, (_index_plain, _index))


def _demand(value: Any, good: bool) -> Any:
    if not good:
        raise WireError("malformed value: parts of a table do not fit")
    return value


def _column_plain(values: Any) -> Any:
    """Return what a column is made of, None if it cannot cross."""
    import pandas as pd

    dtype = values.dtype
    if isinstance(dtype, np.dtype):
        return "numpy", np.asarray(values)
    if isinstance(dtype, pd.CategoricalDtype):
        both = pd.Categorical(values)
        categories = _index_plain(both.categories)
        return categories and ("category", both.codes, categories, bool(both.ordered))
    if isinstance(dtype, pd.StringDtype):
        texts = [None if text is pd.NA or text != text else str(text) for text in values]
        return "text", dtype.storage, dtype.na_value is pd.NA, texts
    if str(dtype) in _NULLABLE:
        array = pd.array(values)
        missing = np.asarray(array.isna(), bool)
        kind = "bool" if str(dtype) == "boolean" else str(dtype).lower()
        return "nullable", str(dtype), array.to_numpy(kind, na_value=0), missing
    return None


def _column(plain: Any) -> Any:
    import pandas as pd

    form = plain[0]
    if form == "numpy":
        return _demand(plain[1], isinstance(plain[1], np.ndarray) and plain[1].ndim == 1)
    if form == "category":
        codes, categories, ordered = plain[1:]
        _demand(
            codes, isinstance(codes, np.ndarray) and codes.ndim == 1 and codes.dtype.kind == "i"
        )
        return pd.Categorical.from_codes(codes, _index(categories), ordered=ordered is True)
    if form == "text":
        storage, is_na, texts = plain[1:]
        _demand(texts, type(texts) is list and all(type(t) in (str, type(None)) for t in texts))
        _demand(storage, storage in ("python", "pyarrow"))
        dtype = pd.StringDtype(storage, na_value=pd.NA if is_na is True else np.nan)
        return pd.array(texts, dtype=dtype)
    _demand(form, form == "nullable" and plain[1] in _NULLABLE)
    values, missing = plain[2:]
    _demand(missing, missing.dtype == bool and missing.shape == values.shape and values.ndim == 1)
    column = pd.array(values, dtype=plain[1])
    column[missing] = pd.NA
    return column


def _label(name: Any) -> Any:
    return _demand(name, type(name) in _LABELS or isinstance(name, np.generic))


def _index_plain(index: Any) -> Any:
    import pandas as pd

    if type(index) is pd.RangeIndex:
        return "range", (index.start, index.stop, index.step), index.name
    if type(index) is pd.MultiIndex:
        levels = [_index_plain(index.get_level_values(n)) for n in range(index.nlevels)]
        return None if None in levels else ("levels", levels, list(index.names))
    column = _column_plain(index)
    return column and ("values", column, index.name, getattr(index, "freqstr", None))


def _index(plain: Any) -> Any:
    import pandas as pd

    form, content = plain[0], plain[1]
    if form == "range":
        _demand(content, len(content) == 3 and all(type(n) is int for n in content))
        return pd.RangeIndex(*content, name=_label(plain[2]))
    if form == "levels":
        _demand(content, type(content) is list and len(content) <= 32)
        names = [_label(name) for name in plain[2]]
        return pd.MultiIndex.from_arrays([_index(level) for level in content], names=names)
    _demand(form, form == "values")
    index = pd.Index(_column(content), name=_label(plain[2]))
    if isinstance(index, pd.DatetimeIndex | pd.TimedeltaIndex) and plain[3] is not None:
        index = type(index)(index, freq=_demand(plain[3], type(plain[3]) is str), name=index.name)
    return index


def _series_plain(series: Any) -> Any:
    column, index = _column_plain(series), _index_plain(series.index)
    return None if column is None or index is None else (column, index, series.name)


def _series(plain: Any) -> Any:
    import pandas as pd

    column, index, name = plain
    return pd.Series(_column(column), index=_index(index), name=_label(name))


def _frame_plain(frame: Any) -> Any:
    columns = [_column_plain(frame.iloc[:, n]) for n in range(frame.shape[1])]
    index, labels = _index_plain(frame.index), _index_plain(frame.columns)
    return None if None in (index, labels, *columns) else (columns, index, labels)


def _frame(plain: Any) -> Any:
    import pandas as pd

    columns, index, labels = _demand(plain[0], type(plain[0]) is list), *map(_index, plain[1:])
    frame = pd.DataFrame(dict(enumerate(map(_column, columns))), index=index)
    frame.columns = labels
    return frame


_PARTS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "DataFrame": (_frame_plain, _frame),
    "Series": (_series_plain, _series),
    "Categorical": (_column_plain, _column),
}
