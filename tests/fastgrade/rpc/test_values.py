"""Values of libraries cross as what they are, and no bytes make anything else of them."""

import array
import collections
import datetime
import decimal
import fractions
import pathlib
import re
import types

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from hypothesis.extra import pandas as pdst
from scipy import optimize, sparse
from sklearn.utils import Bunch

from fastgrade.rpc.codec import Decoder, Encoder, WireError
from fastgrade.rpc.protocol import merge

ZONES = st.none() | st.integers(-1439, 1439).map(
    lambda m: datetime.timezone(datetime.timedelta(minutes=m))
)
KEYS = st.text(max_size=3) | st.integers(-9, 9)
LISTS = st.lists(st.integers() | st.text(max_size=3), max_size=5)
PLAIN = st.one_of(
    st.dictionaries(KEYS, st.integers(0, 9)).map(collections.Counter),
    st.dictionaries(KEYS, LISTS).map(lambda d: collections.defaultdict(list, d)),
    st.dictionaries(KEYS, LISTS).map(collections.OrderedDict),
    st.dictionaries(st.from_regex(r"[a-z]{1,4}\Z", fullmatch=False), LISTS).map(
        lambda d: types.SimpleNamespace(**d)
    ),
    st.builds(collections.deque, LISTS, st.none() | st.integers(5, 9)),
    st.fractions(),
    st.decimals(allow_nan=False).filter(lambda d: d.is_infinite() or abs(d.adjusted()) < 10_000),
    st.dates(),
    st.datetimes(timezones=ZONES),
    st.times(timezones=ZONES),
    st.timedeltas(),
    st.builds(range, st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 3)),
    st.binary().map(bytearray),
    st.dictionaries(KEYS, KEYS).map(dict.keys),
    st.dictionaries(KEYS, KEYS).map(dict.items),
    st.dictionaries(st.dates(), st.integers()),
    st.lists(st.floats(allow_nan=False)).map(lambda some: array.array("d", some)),
    st.sampled_from([..., NotImplemented, np.dtype("f4"), np.dtype("U3"), pathlib.Path("a/b.c")]),
)
ARRAYS = st.one_of(
    npst.arrays(np.dtype("U4"), npst.array_shapes(max_dims=2)),
    npst.arrays(np.dtype("S4"), npst.array_shapes(max_dims=2)),
    npst.arrays(np.dtype("M8[s]"), npst.array_shapes(max_dims=2)),
    npst.arrays(np.dtype("m8[D]"), npst.array_shapes(max_dims=2)),
    npst.arrays(np.dtype([("n", "i4"), ("v", "f8")]), npst.array_shapes(max_dims=2)),
    npst.arrays(object, npst.array_shapes(max_dims=2), elements=st.none() | st.text(max_size=3)),
)
FRAMES = pdst.data_frames(
    [
        pdst.column("a", dtype=int),
        pdst.column("b", dtype=float),
        pdst.column("c", elements=st.text(max_size=3)),
        pdst.column("d", dtype="M8[ns]"),
    ]
)


def crossed(value):
    return Decoder().decode(Encoder().encode(value))


@given(PLAIN)
def test_values_of_the_standard_library_arrive_as_they_left(value):
    arrived = crossed(value)
    assert type(arrived) is type(value)
    assert arrived is value or arrived == value
    assert getattr(arrived, "tzinfo", None) == getattr(value, "tzinfo", None)


@given(ARRAYS)
def test_arrays_of_texts_dates_records_and_objects_arrive_as_they_left(value):
    arrived = crossed(value)
    assert (type(arrived), arrived.dtype, arrived.shape) == (np.ndarray, value.dtype, value.shape)
    assert repr(arrived.tolist()) == repr(value.tolist())


@given(FRAMES)
def test_tables_arrive_as_they_left(frame):
    pd.testing.assert_frame_equal(crossed(frame), frame)
    pd.testing.assert_series_equal(crossed(frame["c"]), frame["c"])
    pd.testing.assert_index_equal(crossed(frame.index), frame.index)


TABLES = [
    pd.DataFrame([[1, 2]], columns=["a", "a"]),
    pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": pd.Categorical(["u", "v"])}),
    pd.DataFrame({"v": [1, 2]}, index=pd.MultiIndex.from_tuples([(1, "a"), (2, "b")])),
    pd.DataFrame({"v": [1, 2]}, index=pd.date_range("2024", periods=2)),
    pd.DataFrame(),
]


@pytest.mark.parametrize("frame", TABLES, ids=["twins", "nullable", "levels", "dates", "empty"])
def test_indexes_and_columns_of_any_kind_cross(frame):
    pd.testing.assert_frame_equal(crossed(frame), frame)


def test_results_of_scipy_and_scikit_learn_keep_their_attributes():
    found = crossed(optimize.OptimizeResult(x=np.ones(2), success=True))
    assert found.success
    assert found.x.tolist() == [1, 1]
    assert crossed(Bunch(target=[1])).target == [1]
    matrix = crossed(sparse.csr_matrix([[0, 1], [2, 0]]))
    assert (type(matrix), matrix.toarray().tolist()) == (sparse.csr_matrix, [[0, 1], [2, 0]])


def test_subclasses_of_arrays_keep_what_makes_them_special():
    assert (crossed(np.matrix([[1, 2]])) * np.matrix([[1], [1]])).item() == 3
    assert crossed(np.ma.masked_less(np.arange(4), 2)).sum() == 5


def test_what_a_regular_expression_has_found_can_be_read():
    found = crossed(re.match(r"(?P<user>\w+)@(x)?(\w+)", "ada@home"))
    assert isinstance(found, re.Match)
    assert (found.groups(), found["user"], found.span(3)) == (("ada", None, "home"), "ada", (4, 8))
    assert found.groupdict() == {"user": "ada"}


@pytest.mark.parametrize(
    "old",
    [
        pd.DataFrame({"a": [1, 2]}),
        pd.Series([1, 2]),
        collections.deque([1, 2]),
        collections.Counter("ab"),
        bytearray(b"ab"),
        types.SimpleNamespace(a=1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_change_to_an_argument_is_made_to_the_argument_itself(old):
    new = crossed(old)
    if isinstance(new, pd.DataFrame):
        new["b"] = 3
    elif isinstance(new, pd.Series):
        new[5] = 3
    elif isinstance(new, types.SimpleNamespace):
        new.b = 2
    else:
        new.update("c") if isinstance(new, dict) else new.append(3)
    assert merge(old, new) is old
    if hasattr(old, "equals"):
        assert old.equals(new)
    else:
        assert old == new


HOSTILE = [
    ("Decimal", "1e999999999"),
    ("Fraction", (1, 0)),
    ("range", (0, 5, 0)),
    ("Path", "a\0b"),
    ("datetime64", ("<M8[s]", "x")),
    ("ndarray", ("<U1000000", (1000,), [""] * 1000)),
    ("ndarray", ("|O", (2**40,), [])),
    ("coo_array", ((2**40, 2**40), np.ones(1), (np.zeros(1, int), np.zeros(1, int)))),
    ("csr_array", ((2, 2), np.ones(1), (np.array([7]), np.array([0])))),
    ("DataFrame", ([("numpy", np.zeros((2, 2)))], None, None)),
    ("Match", ("abc", [(0, 99)], {})),
    ("no such type", ()),
]


@pytest.mark.parametrize(("name", "parts"), HOSTILE, ids=lambda part: str(part)[:20])
def test_parts_that_do_not_fit_are_refused(name, parts):
    data = b"x" + Encoder().encode(name) + Encoder().encode(parts)
    with pytest.raises(WireError):
        Decoder().decode(data)


def test_a_class_derived_from_one_of_these_stays_behind():
    class Mine(fractions.Fraction):
        pass

    class Sum(decimal.Decimal):
        pass

    for value in (Mine(1, 2), Sum(1)):
        with pytest.raises(WireError, match="plain data"):
            Encoder().encode(value)
