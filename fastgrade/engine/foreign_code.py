"""Code that is not the instructor's stays out of the judge: pickles and handed-in modules.

A pickle names functions that whoever reads it calls. It may have come from an answer, so only what
arrays, tables and plain values are made of may be named in one; a test that reads others runs
beside the answer. Modules in the folder of the tests are there because a test asked for a file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from fastgrade.rpc.proxies import UnansweredError

__all__ = ["ForeignCode"]

_MULTIARRAY, _NUMERIC = ("_reconstruct", "scalar"), ("_frombuffer",)
#: What may be named in a pickle, by module; NumPy and pandas have moved some of it.
_INERT = {
    "builtins": ("bytearray", "complex", "frozenset", "range", "set", "slice"),
    "__builtin__": ("bytearray", "complex", "frozenset", "range", "set", "slice"),
    "collections": ("Counter", "OrderedDict", "defaultdict", "deque"),
    "datetime": ("date", "datetime", "time", "timedelta", "timezone"),
    "decimal": ("Decimal",),
    "fractions": ("Fraction",),
    "_codecs": ("encode",),
    "numpy": ("dtype", "ndarray"),
    "numpy._core.multiarray": _MULTIARRAY,
    "numpy._core.numeric": _NUMERIC,
    "numpy.core.multiarray": _MULTIARRAY,
    "numpy.core.numeric": _NUMERIC,
    "pandas": (
        *("DataFrame", "Series", "Index", "RangeIndex", "MultiIndex", "DatetimeIndex", "NA"),
        *("Categorical", "CategoricalDtype", "StringDtype", "Int64Dtype", "Float64Dtype"),
    ),
    "pandas.arrays": ("DatetimeArray", "IntegerArray", "FloatingArray", "StringArray"),
    "pandas._libs.arrays": ("__pyx_unpickle_NDArrayBacked",),
    "pandas._libs.internals": ("_unpickle_block",),
    "pandas._libs.tslibs.timedeltas": ("_timedelta_unpickle",),
    "pandas._libs.tslibs.timestamps": ("_unpickle_timestamp",),
    "pandas.core.frame": ("DataFrame",),
    "pandas.core.series": ("Series",),
    "pandas.core.indexes.base": ("Index", "_new_Index"),
    "pandas.core.indexes.range": ("RangeIndex",),
    "pandas.core.indexes.datetimes": ("DatetimeIndex", "_new_DatetimeIndex"),
    "pandas.core.internals.managers": ("BlockManager", "SingleBlockManager"),
}


class ForeignCode:
    """Refuses to run what may be a student's, by a hook that sees whatever Python runs.

    Parameters
    ----------
    folder : str
        Where the files lie that a test has asked for.
    """

    def __init__(self, folder: str):
        self._folder = os.path.realpath(folder) + os.sep
        self.unable: Callable[[str], Exception] = UnansweredError

    def refuse(self) -> None:
        """Refuse from now on, for good."""
        sys.addaudithook(self._look)

    def _look(self, event: str, details: tuple[Any, ...]) -> None:
        if event == "pickle.find_class":
            module, name = details
            if name not in _INERT.get(module, ()):
                raise self.unable(f"a test unpickles {module}.{name}, which may be an answer's")
        elif event == "exec":
            path = getattr(details[0], "co_filename", "<unknown>")
            if not path.startswith("<") and os.path.realpath(path).startswith(self._folder):
                raise self.unable(f"a test runs {os.path.basename(path)}, which was handed in")
