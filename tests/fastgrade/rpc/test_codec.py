"""Only plain data cross, they arrive as they left, and no bytes can hurt the reader."""

import collections
import struct
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from fastgrade.rpc.codec import MAX_DEPTH, Decoder, Encoder, Record, WireError
from fastgrade.rpc.protocol import merge

Pair = collections.namedtuple("Pair", "left right")


def encode(value):
    return Encoder().encode(value)


def decode(data):
    return Decoder().decode(data)


def same(a, b):
    if isinstance(a, np.ndarray):
        return (
            type(b) is np.ndarray
            and a.shape == b.shape
            and a.dtype == b.dtype
            and a.tobytes() == b.tobytes()
            and a.flags.writeable == b.flags.writeable
        )
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, float):
        return type(a) is type(b) and (a == b or (a != a and b != b))
    if isinstance(a, complex):
        return repr(a) == repr(b)
    return type(a) is type(b) and a == b


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**300), 2**300)
    | st.floats()
    | st.complex_numbers()
    | st.text()
    | st.binary()
)
NUMERIC = st.sampled_from([*"?bhilBHILefdFD"]).map(np.dtype)
ARRAYS = NUMERIC.flatmap(
    lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, max_dims=4, min_side=0))
)
KEYS = st.text() | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.none()
VALUES = st.recursive(
    SCALARS | ARRAYS,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=5)
    ),
    max_leaves=20,
)


@given(VALUES)
def test_values_arrive_as_they_left(value):
    assert same(value, decode(encode(value)))


@pytest.mark.parametrize(
    "value",
    [{1, 2, "a"}, frozenset({3}), slice(1, None, 2), float, int, np.float32, np.ndarray],
)
def test_rarer_values_arrive_as_they_left(value):
    assert decode(encode(value)) == value


def test_numpy_scalars_keep_their_type():
    for value in (np.float32(1.5), np.int8(-3), np.bool_(True), np.complex64(1 + 2j)):
        arrived = decode(encode(value))
        assert type(arrived) is type(value)
        assert arrived == value


def test_fortran_order_and_read_only_flags_survive():
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    array.flags.writeable = False
    arrived = decode(encode(array))
    assert arrived.flags.f_contiguous
    assert not arrived.flags.c_contiguous
    assert not arrived.flags.writeable


def test_named_tuples_keep_their_names():
    arrived = decode(encode(Pair(1, [2])))
    assert isinstance(arrived, Record)
    assert (arrived.left, arrived.right) == (1, [2])
    assert arrived == (1, [2])
    with pytest.raises(AttributeError):
        _ = arrived.other


@pytest.mark.parametrize("name", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_generators_go_on_where_they_were(name):
    generator = np.random.Generator(getattr(np.random, name)(7))
    generator.random(5)
    generator.integers(0, 10, 3, dtype=np.int32)  # leaves half a word behind
    arrived = decode(encode(generator))
    assert np.array_equal(arrived.random(9), generator.random(9))
    assert arrived.integers(2**30, dtype=np.int32) == generator.integers(2**30, dtype=np.int32)


@pytest.mark.parametrize("name", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_generators_spawn_the_children_that_they_would_have_spawned(name):
    generator = np.random.Generator(getattr(np.random, name)([7, 2**100]))
    child = generator.spawn(3)[2]
    for sent in (generator, child):
        arrived = decode(encode(sent))
        for theirs, ours in zip(arrived.spawn(2), sent.spawn(2), strict=True):
            assert np.array_equal(theirs.random(4), ours.random(4))


def test_seed_sequences_and_bit_generators_go_on_where_they_were():
    seed = np.random.SeedSequence(5, spawn_key=(1, 2), pool_size=8)
    seed.spawn(2)
    assert decode(encode(seed)).state == seed.state
    bits = np.random.Philox(seed)
    bits.random_raw(3)
    arrived = decode(encode(bits))
    assert arrived.random_raw() == bits.random_raw()
    assert arrived.seed_seq.state == seed.state


def test_a_generator_that_cannot_spawn_does_not_learn_it_on_the_way():
    generator = np.random.Generator(np.random.RandomState(3)._bit_generator)
    with pytest.raises(TypeError, match="spawn"):
        decode(encode(generator)).spawn(1)


@pytest.mark.parametrize("value", [np.random.SeedSequence(3), np.random.default_rng(3)])
def test_what_a_copy_has_spawned_is_not_spawned_again(value):
    twin, copy = decode(encode(value)), decode(encode(value))
    copy.spawn(2)
    assert merge(value, copy) is value
    assert encode(value) == encode(copy)
    twin.spawn(2)
    assert encode(value.spawn(1)) == encode(twin.spawn(1))


def test_no_call_can_have_spawned_without_end():
    seed = np.random.SeedSequence(3)
    with pytest.raises(WireError, match="spawned"):
        merge(seed, np.random.SeedSequence(3, n_children_spawned=2**31))


@pytest.mark.parametrize("name", ["MT19937", "PCG64"])
def test_legacy_generators_of_any_kind_go_on(name):
    state = np.random.RandomState(getattr(np.random, name)(7))
    state.standard_normal(3)
    copy = decode(encode(state))
    assert np.array_equal(copy.standard_normal(5), state.standard_normal(5))
    copy.random_sample()
    assert merge(state, copy).random_sample() == copy.random_sample()


def test_legacy_random_states_go_on_where_they_were():
    state = np.random.RandomState(7)
    state.standard_normal(3)
    assert np.array_equal(decode(encode(state)).standard_normal(5), state.standard_normal(5))


def test_subclasses_arrive_as_plain_values():
    class Number(float):
        def __eq__(self, other):
            return True

        __hash__ = float.__hash__

    class Array(np.ndarray):
        def __eq__(self, other):
            return True

        __hash__ = None

    assert type(decode(encode(Number(2.5)))) is float
    assert type(decode(encode(np.zeros(2).view(Array)))) is np.ndarray


@pytest.mark.parametrize("value", [object(), len, lambda: 0, np.array([object()])])
def test_objects_do_not_cross_without_a_handle(value):
    with pytest.raises(WireError, match="plain data"):
        encode(value)


def test_objects_cross_as_handles_only():
    encoder = Encoder(lambda value: (1, 42, {"name": "f"}))
    decoder = Decoder(lambda kind, number, meta: ("remote", kind, number, meta))
    assert decoder.decode(encoder.encode([len])) == [("remote", 1, 42, {"name": "f"})]
    assert decoder.handles == 1
    with pytest.raises(WireError, match="handle"):
        decode(encoder.encode(len))


def test_values_nested_too_deep_are_refused_by_both_sides():
    value = []
    for _ in range(MAX_DEPTH + 2):
        value = [value]
    with pytest.raises(WireError, match="nested"):
        encode(value)
    with pytest.raises(WireError, match="nested"):
        decode(b"l\0\0\0\1" * (MAX_DEPTH + 2) + b"N")


def test_bools_are_made_of_zero_and_one():
    forged = bytearray(encode(np.array([True, False, True])))
    forged[-3:] = b"\x07\x00\xff"
    assert decode(bytes(forged)).view(np.uint8).tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    "forged",
    [
        b"",
        b"?",
        b"NN",
        b"i\0\0\0\0",
        b"i\0\0\x10\0" + b"\1" * 4096,
        b"s\0\0\0\1\xff",
        b"s\xff\xff\xff\xff",
        b"l\xff\xff\xff\xff",
        b"l\0\x0f\xff\xff" + b"N" * 100,
        b"D\0\0\0\1" + b"l\0\0\0\0" + b"N",
        b"D\0\0\0\1" + b"c" + b"\0" * 16 + b"N",
        b"a\0\0\x21",
        b"a\x0b\0\1" + b"\xff" * 8,
        b"a\x0b\0\2" + b"\0" * 8 + b"\x7f" + b"\xff" * 7,
        b"a\x0b\7\0" + b"\0" * 8,
        b"a\xee\0\0",
        b"u" + encode(["a"]) + encode((1, 2)),
        b"u" + encode(["__class__"]) + encode((1,)),
        b"y" + encode("eval"),
        b"G" + encode(1),
        b"R" + b"B" + encode("PCG64") + encode(np.random.PCG64(1).state) + b"N" + encode((2, 0.0)),
        b"B" + encode("PCG64") + encode({}) + b"N",
        b"B" + encode("eval") + encode({}) + b"N",
        b"B" + encode("PCG64") + encode(np.random.PCG64(1).state) + encode((1, (), 4)),
        b"Q" + encode(None),
        b"Q" + encode((-1, (), 4, 0)),
        b"Q" + encode(("0x1", (), 4, 0)),
        b"Q" + encode((1, (), 10**6, 0)),
        b"Q" + encode((1, (), 4, 2**32)),
        b"H" + b"\0" * 8,
        b"h\1" + b"\0" * 8 + b"N",
    ],
)
def test_malformed_bytes_are_refused(forged):
    with pytest.raises(WireError):
        decode(forged)


@pytest.mark.parametrize("position", [-1, 625, 2**30, True, 1.0, None])
def test_generator_states_that_point_elsewhere_are_refused(position):
    good = np.random.Generator(np.random.MT19937(1)).bit_generator.state
    state = {"bit_generator": "MT19937", "state": {"key": good["state"]["key"], "pos": position}}
    with pytest.raises(WireError, match="MT19937"):
        decode(b"B" + encode("MT19937") + encode(state) + b"N")


def mutated(draw):
    """Draw the bytes of a value with a few of them changed, cut out, doubled or put in."""
    data = bytearray(encode(draw(VALUES)))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 3)):
            case 0 if place < len(data):
                data[place] = draw(st.integers(0, 255))
            case 1:
                del data[place : place + draw(st.integers(1, 9))]
            case 2:
                data[place:place] = data[place : place + draw(st.integers(1, 30))]
            case _:
                number = draw(st.integers(0, 2**32 - 1))
                data[place:place] = struct.pack(">I", number)
    return bytes(data)


def survive(data):
    """Decode bytes; anything but a value and a `WireError` is a bug."""
    decoder = Decoder(lambda kind, number, meta: (kind, number), {1: "mine"}.__getitem__)
    try:
        value = decoder.decode(data)
    except WireError:
        return
    assert sys.getsizeof(value) < 100 * len(data) + 10_000


@pytest.mark.slow
@settings(max_examples=1500, suppress_health_check=[HealthCheck.too_slow])
@given(st.composite(mutated)())
def test_changed_bytes_give_a_value_or_a_wire_error(data):
    survive(data)


@settings(max_examples=1500)
@given(st.binary(max_size=400))
@example(b"t\0\0\0\2N")
def test_random_bytes_give_a_value_or_a_wire_error(data):
    survive(data)


def test_decoding_does_not_keep_or_multiply_memory():
    frame = b"l" + struct.pack(">I", 20_000) + b"l\0\0\0\0" * 20_000
    tracemalloc.start()
    try:
        for _ in range(5):
            decode(frame)
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 200_000
    assert peak < 100 * len(frame)
