"""JSON is read in bounded time, whatever it holds."""

import json

import pytest

from warmfork import bounded


@pytest.mark.parametrize(
    "data",
    [
        b"[" + b"1," * 50 + b"1]",
        b"{" + b",".join(b'"%d":1' % n for n in range(51)) + b"}",
        b"[" + b"[]," * 30 + b"[]]",
        b"[" * 60 + b"]" * 60,
    ],
)
def test_more_values_than_allowed_are_refused(data):
    with pytest.raises(ValueError, match="more than 50 values"):
        bounded.loads(data, most=50)


def test_nesting_is_no_crash():
    with pytest.raises(ValueError, match="deep"):
        bounded.loads(b"[" * 100_000 + b"]" * 100_000)


@pytest.mark.parametrize("text", ["a, b [c] {d}", 'quo\\"te, [' * 20, "\\\\", ", \\n," * 30])
def test_what_stands_in_a_string_does_not_count(text):
    assert bounded.loads(json.dumps([text, text]).encode(), most=4) == [text, text]
