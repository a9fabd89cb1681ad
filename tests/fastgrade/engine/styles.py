"""Styles in which public courses write tests, as data: setup, solution, a wrong answer, tests.

Whatever the style, a submission gets the grade that a kernel would give it, or the instructor is
told. `python -m tests.fastgrade.engine.compare_styles` compares all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.fastgrade.cells import code, notebook


@dataclass(frozen=True)
class Style:
    """A notebook with one answer, and files beside it."""

    name: str
    setup: str
    solution: str
    wrong: str
    tests: tuple[str, ...]
    files: dict[str, bytes]

    def notebook(self, answer: str | None = None) -> bytes:
        """Return the instructor's notebook, or one with another answer in it."""
        if answer is None:
            answer = f"### BEGIN SOLUTION\n{self.solution}\n### END SOLUTION"
        cells = [code(self.setup, "setup", locked=True)] if self.setup else []
        cells.append(code(answer, "answer", solution=True))
        for number, test in enumerate(self.tests, 1):
            if test.startswith("# setup\n"):
                cells.append(code(test, f"setup-{number}", locked=True))
            else:
                cells.append(code(test, f"test-{number}", grade=True, locked=True, points=2))
        return notebook(*cells)


def _read(text: str) -> list[Style]:
    """Read styles: `== name`, then parts that begin with `-- setup`, `-- wrong`, `-- test`."""
    styles = []
    for block in re.split(r"^== ", text, flags=re.MULTILINE)[1:]:
        name, _, body = block.partition("\n")
        parts: dict[str, list[str]] = {}
        kind = "answer"
        for piece in re.split(r"^(-- .+)\n", body, flags=re.MULTILINE):
            if piece.startswith("-- "):
                kind = piece[3:].strip()
            elif piece.strip():
                parts.setdefault(kind, []).append(piece.rstrip("\n"))
        files = {
            kind[5:]: pieces[0].encode()
            for kind, pieces in parts.items()
            if kind.startswith("file ")
        }
        setup = "\n".join(parts.get("setup", []))
        wrong = "\n".join(parts.get("wrong", ["raise NotImplementedError()"]))
        styles.append(Style(name, setup, parts["answer"][0], wrong, tuple(parts["test"]), files))
    return styles


#: What a copy of an object does not show.
_ALIASES = """
== copy of an argument
def tail(a): return a[1:]
def same(a): return list(a)
-- wrong
def tail(a):
    del a[0]
    return a
def same(a): return a
-- test
x = [1, 2]
assert same(x) is not x and same(x) == x
-- test
assert tail([1, 2, 3]) == [2, 3]
-- test
x = [1, 2]
y = same(x)
y.append(3)
assert x == [1, 2]
== argument in place or not, with the same result
def ordered(a): return sorted(a)
-- wrong
def ordered(a):
    a.sort()
    return a
-- test
assert ordered([2, 1]) == [1, 2]
== two names of one list
a = [1, 2]
b = a.copy()
-- wrong
a = [1, 2]
b = a
-- test
b.append(9)
assert a == [1, 2]
-- test
assert id(a) != id(b)
== rows of one table
def grid(n): return [[0] * n for _ in range(n)]
-- wrong
def grid(n): return [[0] * n] * n
-- test
g = grid(2)
g[0][0] = 5
assert g[1] == [0, 0]
== default that changes
def add(x, items=None):
    items = [] if items is None else items
    items.append(x)
    return items
-- wrong
def add(x, items=[]):
    items.append(x)
    return items
-- test
p = add(1)
q = add(2)
assert p == [1]
== argument that is kept
class Bag:
    def __init__(self, items): self.items = list(items)
-- wrong
class Bag:
    def __init__(self, items): self.items = items
-- test
x = [1]
bag = Bag(x)
x.append(2)
assert bag.items == [1]
== inside of an object
class Bag:
    def __init__(self): self._items = [1]
    def items(self): return list(self._items)
    def size(self): return len(self._items)
-- wrong
class Bag:
    def __init__(self): self._items = [1]
    def items(self): return self._items
    def size(self): return len(self._items)
-- test
bag = Bag()
bag.items().append(2)
assert bag.size() == 1
== views of one array
import numpy as np
m = np.arange(6)
v = m[:3].copy()
-- wrong
import numpy as np
m = np.arange(6)
v = m[:3]
-- test
v[0] = 99
assert m[0] == 0
-- test
assert v.base is None and not np.shares_memory(m, v)
== nothing may be printed
def f(x): return x + 1
-- wrong
def f(x):
    print(x)
    return x + 1
-- test
import contextlib, io
out = io.StringIO()
with contextlib.redirect_stdout(out):
    assert f(1) == 2
assert out.getvalue() == ""
== no overflow
import numpy as np
def f(x): return np.exp(x - x.max()) / np.exp(x - x.max()).sum()
-- wrong
import numpy as np
def f(x): return np.nan_to_num(np.exp(x) / np.exp(x).sum(), nan=1.0)
-- test
with np.errstate(all="raise"):
    assert f(np.array([1000.0]))[0] == 1
-- test
import warnings
def quietly(x):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return f(x)
assert quietly(np.array([2000.0]))[0] == 1
== function that may not be used
import numpy as np
def solve(A, b): return np.array([b[0] / A[0, 0]])
-- wrong
import numpy as np
def solve(A, b): return np.linalg.solve(A, b)
-- test
from unittest.mock import patch
with patch("numpy.linalg.solve", side_effect=AssertionError("write it yourself")):
    assert solve(np.eye(1), np.ones(1))[0] == 1
-- test
kept = np.linalg.solve
np.linalg.solve = None
try:
    assert solve(np.eye(1), np.ones(1))[0] == 1
finally:
    np.linalg.solve = kept
== name that must be gone
answer = 3
del answer
-- wrong
answer = 3
-- test
assert "answer" not in dir()
-- test
assert "answer" not in globals()
-- test
import __main__
assert not hasattr(__main__, "answer")
"""
_PLAIN = """
== assert equal
def f(x): return x + 1
-- wrong
def f(x): return x - 1
-- test
assert f(1) == 2
assert f(-1) == 0, "negative"
== allclose
import numpy as np
def f(x): return np.asarray(x) * 2.0
-- wrong
def f(x): return np.asarray(x) * 3.0
-- test
np.testing.assert_allclose(f([1, 2]), [2, 4])
-- test
assert np.allclose(f(np.ones((2, 3))), 2) and f(np.ones((2, 3))).shape == (2, 3)
== numpy not imported by the test
import numpy as np
x = np.arange(4)
-- wrong
import numpy as np
x = np.arange(5)
-- test
assert x.sum() == 6 and np.all(x >= 0) and x.dtype.kind == "i"
== unittest case
def f(x): return x + 1
-- wrong
def f(x): return x
-- test
import unittest
class TestF(unittest.TestCase):
    def test_one(self):
        self.assertEqual(f(1), 2)
    def test_two(self):
        self.assertAlmostEqual(f(.5), 1.5)
result = unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(TestF))
assert result.wasSuccessful()
== unittest asserts from an instance
def f(x): return [x, x]
-- wrong
def f(x): return (x, x)
-- test
from unittest import TestCase
tc = TestCase()
tc.assertListEqual(f(1), [1, 1])
== nose style helper in setup
def f(x): return x + 1
-- setup
def assert_equal(a, b): assert a == b, f"{a} is not {b}"
-- wrong
def f(x): return x
-- test
assert_equal(f(1), 2)
== helper that takes the answer
def f(x): return x + 1
-- setup
def check(function, cases):
    for x, y in cases:
        assert function(x) == y
-- wrong
def f(x): return abs(x) + 1
-- test
check(f, [(1, 2), (-3, -2)])
== helper of an earlier test
def f(x): return x + 1
-- wrong
def f(x): return x
-- test
def agree(x, y):
    assert f(x) == y
agree(1, 2)
-- test
agree(5, 6)
== lambda of an earlier test
def f(x): return x + 1
-- wrong
def f(x): return x
-- test
twice = lambda x: f(f(x))
assert twice(1) == 3
-- test
assert twice(2) == 4
== loop variable of an earlier test
for m in range(3):
    pass
def f(x): return x + 1
-- wrong
def f(x): return x
-- test
for m in range(1, 10):
    assert f(m) == m + 1
-- test
assert f(m) == 10
== import of an earlier test
def f(x): return x + 1.0
-- wrong
def f(x): return x
-- test
import math
assert math.isclose(f(1), 2)
-- test
assert math.isclose(f(2), 3)
== answer uses what a setup cell imported
def f(x): return math.sqrt(x)
-- setup
import math
-- wrong
def f(x): return x
-- test
assert f(4) == 2
== setup prints the answer after it
def f(x): return x + 1
-- wrong
def f(x): return x
-- test
# setup
def twice(x): return f(f(x))
print(twice(1))
-- test
assert twice(1) == 3
== setup computes with the answer
def f(x): return x + 1
-- wrong
def f(x): return x
-- test
# setup
values = [f(x) for x in range(3)]
-- test
assert values == [1, 2, 3]
== setup raises on purpose
def f(x): return x + 1
-- setup
print("a is", undefined_name)
-- wrong
def f(x): return x
-- test
assert f(1) == 2
== setup with a timeit magic
def f(x): return x + 1
-- setup
t = %timeit -o -q -n 2 -r 1 sum(range(10))
-- wrong
def f(x): return x
-- test
assert t.loops == 2
-- test
assert f(1) == 2
== setup with matplotlib inline and figure
def f(x): return x + 1
-- setup
%matplotlib inline
import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.show()
-- wrong
def f(x): return x
-- test
assert f(1) == 2
== partial credit
def f(x): return x + 1
-- wrong
def f(x): return x if x > 1 else 2
-- test
score = 0
if f(1) == 2:
    score += 1
if f(2) == 3:
    score += 1
score
== partial credit as a float
def f(x): return x + 1
-- wrong
def f(x): return x if x > 1 else 2
-- test
2 * sum(f(x) == x + 1 for x in (1, 2, 3, 4)) / 4
== partial credit of numpy
import numpy as np
def f(x): return x + 1
-- wrong
import numpy as np
def f(x): return np.where(x > 1, x, 2)
-- test
float(2 * np.mean(f(np.arange(1, 5)) == np.arange(2, 6)))
== last value shown
def f(x): return x + 1
-- wrong
def f(x): return x
-- test
assert f(1) == 2
"Well done!"
== last value is a call that prints
def f(x): return x + 1
-- wrong
def f(x): return x
-- test
assert f(1) == 2
print("Well done!")
== bool without assert
def f(x): return x + 1
-- wrong
def f(x): return x
-- test
f(1) == 2
== expected exception
def f(x):
    if x < 0:
        raise ValueError("negative")
    return x ** .5
-- wrong
def f(x): return abs(x) ** .5
-- test
try:
    f(-1)
except ValueError:
    pass
else:
    raise AssertionError("no error")
== pytest raises
def f(x):
    if x < 0:
        raise ValueError("negative number")
    return x
-- wrong
def f(x):
    if x < 0:
        raise ValueError("no")
    return x
-- test
import pytest
with pytest.raises(ValueError, match="negative"):
    f(-1)
== assertRaises
def f(x): return 1 / x
-- wrong
def f(x): return 1
-- test
import unittest
with unittest.TestCase().assertRaises(ZeroDivisionError):
    f(0)
== own exception
class TooBig(Exception):
    pass
def f(x):
    if x > 9:
        raise TooBig(x)
    return x
-- wrong
class TooBig(Exception):
    pass
def f(x): return x
-- test
try:
    f(10)
    assert False
except TooBig:
    pass
== isinstance of plain values
def f(): return {"a": [1, 2.0, "x"]}
-- wrong
def f(): return [("a", [1, 2.0, "x"])]
-- test
assert isinstance(f(), dict) and isinstance(f()["a"], list) and type(f()["a"][1]) is float
== isinstance of an array
import numpy as np
def f(): return np.zeros(3)
-- wrong
def f(): return [0.0] * 3
-- test
assert isinstance(f(), np.ndarray)
== callable
def f(x): return x
-- wrong
f = 3
-- test
assert callable(f), "f should be a function"
== docstring
def f(x):
    "Return x."
    return x
-- wrong
def f(x): return x
-- test
assert f.__doc__ and "Return" in f.__doc__
== signature
def f(x, y=2): return x
-- wrong
def f(x): return x
-- test
import inspect
assert list(inspect.signature(f).parameters) == ["x", "y"]
== source of the answer
def f(x): return x + 1
-- wrong
def f(x):
    for i in range(1): x += 1
    return x
-- test
import inspect
assert "for" not in inspect.getsource(f)
== name in globals
answer = 42
-- wrong
answr = 42
-- test
assert "answer" in globals()
assert answer == 42
== name in dir
answer = 42
-- wrong
answr = 42
-- test
assert "answer" in dir()
== name by try
answer = 42
-- wrong
answr = 42
-- test
try:
    answer
except NameError:
    raise AssertionError("define answer")
assert answer == 42
== function as argument
def apply(g, x): return g(g(x))
-- wrong
def apply(g, x): return g(x)
-- test
assert apply(lambda x: x * 2, 3) == 12
== counted calls
def apply(g, n): return [g(i) for i in range(n)]
-- wrong
def apply(g, n): return [g(i) for i in range(n + 1)][:n]
-- test
calls = []
def spy(i):
    calls.append(i)
    return i
apply(spy, 3)
assert calls == [0, 1, 2]
== mock as argument
def apply(g): return g(1, key=2)
-- wrong
def apply(g): return g(1)
-- test
from unittest.mock import Mock
g = Mock(return_value=7)
assert apply(g) == 7
g.assert_called_once_with(1, key=2)
== function that returns a function
def adder(n): return lambda x: x + n
-- wrong
def adder(n): return lambda x: x
-- test
assert adder(2)(3) == 5
== mutated list
def f(x): x.sort()
-- wrong
def f(x): return sorted(x)
-- test
a = [3, 1, 2]
assert f(a) is None and a == [1, 2, 3]
== not mutated
def f(x): return sorted(x)
-- wrong
def f(x):
    x.sort()
    return x
-- test
a = [3, 1, 2]
f(a)
assert a == [3, 1, 2]
== mutated dict
def count(words, d):
    for w in words: d[w] = d.get(w, 0) + 1
-- wrong
def count(words, d):
    for w in words: d[w] = 1
-- test
d = {}
count("aab", d)
assert d == {"a": 2, "b": 1}
== mutated array
def f(x): x += 1
-- wrong
def f(x): x = x + 1
-- test
import numpy as np
a = np.zeros(3)
f(a)
assert (a == 1).all()
== seed in the test
import numpy as np
def f(): return np.random.rand()
-- wrong
import numpy as np
def f(): return 0.1
-- test
np.random.seed(0)
first = f()
np.random.seed(0)
assert first == f() and first == 0.5488135039273248
== seed of random in the test
import random
def f(): return random.randint(0, 100)
-- wrong
def f(): return 1
-- test
random.seed(1)
a = f()
random.seed(1)
assert f() == a == 17
== generator passed
def f(rng): return rng.normal(size=2)
-- wrong
def f(rng): return [0, 0]
-- test
import numpy as np
assert (f(np.random.default_rng(1)) == np.random.default_rng(1).normal(size=2)).all()
== assert on floats with isclose
def f(x): return x / 3
-- wrong
def f(x): return x // 3
-- test
from math import isclose
assert isclose(f(1), 0.333, abs_tol=1e-3)
== hidden tests
def f(x): return x + 1
-- wrong
def f(x): return 2
-- test
assert f(1) == 2
### BEGIN HIDDEN TESTS
assert f(4) == 5
### END HIDDEN TESTS
== quiz by hash
answer = "B"
-- wrong
answer = "C"
-- test
import hashlib
assert hashlib.sha256(answer.lower().encode()).hexdigest()[:4] == "3e23"
== complex numbers
def roots(): return [1j, -1j]
-- wrong
def roots(): return [1, -1]
-- test
assert sorted(roots(), key=lambda z: z.imag) == [-1j, 1j]
== strings
def greet(name): return f"Hello, {name}!"
-- wrong
def greet(name): return f"Hello {name}"
-- test
assert greet("Ada") == "Hello, Ada!" and greet("x").startswith("Hello,")
== bytes
def f(s): return s.encode()
-- wrong
def f(s): return s
-- test
assert f("é") == b"\\xc3\\xa9"
== big numbers
def f(n): return 2 ** n
-- wrong
def f(n): return 2.0 ** n
-- test
assert f(200) % 10 == 6
== recursion
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
-- wrong
def fib(n): return fib(n - 1) + fib(n - 2)
-- test
assert [fib(n) for n in range(8)] == [0, 1, 1, 2, 3, 5, 8, 13]
== timeout by a decorator of time
import time
def f(): return 1
-- wrong
def f():
    time.sleep(.3)
    return 1
-- test
import time
start = time.time()
f()
assert time.time() - start < .2
"""

_OBJECTS = """
== class with methods
class Stack:
    def __init__(self): self.items = []
    def push(self, x): self.items.append(x)
    def pop(self): return self.items.pop()
    def __len__(self): return len(self.items)
-- wrong
class Stack:
    def __init__(self): self.items = []
    def push(self, x): self.items.append(x)
    def pop(self): return self.items.pop(0)
    def __len__(self): return 0
-- test
s = Stack()
s.push(1)
s.push(2)
assert s.pop() == 2
-- test
assert len(s) == 1
== class with equality
class P:
    def __init__(self, x): self.x = x
    def __eq__(self, other): return self.x == other.x
-- wrong
class P:
    def __init__(self, x): self.x = x
-- test
assert P(1) == P(1)
-- test
assert P(1) != P(2)
== class with arithmetic
class V:
    def __init__(self, x): self.x = x
    def __add__(self, other): return V(self.x + other.x)
    def __repr__(self): return f"V({self.x})"
-- wrong
class V:
    def __init__(self, x): self.x = x
    def __add__(self, other): return self
    def __repr__(self): return f"V({self.x})"
-- test
assert (V(1) + V(2)).x == 3
-- test
assert repr(V(1)) == "V(1)" and str(V(2)) == "V(2)"
== isinstance of the own class
class A: pass
class B(A): pass
-- wrong
class A: pass
class B: pass
-- test
assert isinstance(B(), A)
-- test
assert issubclass(B, A)
== base class in the setup cell
class Dog(Animal):
    def speak(self): return "woof"
-- setup
class Animal:
    def speak(self): raise NotImplementedError
-- wrong
class Dog:
    def speak(self): return "woof"
-- test
assert isinstance(Dog(), Animal) and Dog().speak() == "woof"
== not an instance
def f(): return object()
-- wrong
def f(): return 3
-- test
assert not isinstance(f(), (int, str))
== dataclass
from dataclasses import dataclass
@dataclass
class P:
    x: int
    y: int = 0
-- wrong
class P:
    def __init__(self, x, y=0): self.x, self.y = x, y
-- test
assert P(1) == P(1, 0)
-- test
assert P(1) != P(2) and P(1) != (1, 0) and P(1) in [P(1), None]
-- test
assert P(1).x == 1
== class for the answer in the setup cell
def area(r): return r.w * r.h
-- setup
class Rectangle:
    def __init__(self, w, h): self.w, self.h = w, h
-- wrong
def area(r): return r.w + r.h
-- test
assert area(Rectangle(2, 3)) == 6
== iterator
def count():
    for i in range(3): yield i
-- wrong
def count():
    for i in range(4): yield i
-- test
assert list(count()) == [0, 1, 2]
-- test
g = count()
assert next(g) == 0 and next(g) == 1
-- test
import types
assert isinstance(count(), types.GeneratorType)
== zip and map
def pairs(): return zip([1, 2], "ab")
-- wrong
def pairs(): return zip([1, 2], "ba")
-- test
assert list(pairs()) == [(1, "a"), (2, "b")]
== dict views
d = {"a": 1, "b": 2}
def keys(): return d.keys()
-- wrong
d = {"a": 1}
def keys(): return d.keys()
-- test
assert keys() == {"a", "b"} and list(d.values()) == [1, 2]
== range and slice
r = range(0, 10, 2)
s = slice(1, 3)
-- wrong
r = range(0, 10, 3)
s = slice(1, 2)
-- test
assert r == range(0, 10, 2) and list(r)[s] == [2, 4] and isinstance(r, range)
== sets
def f(x): return {i % 3 for i in x}
-- wrong
def f(x): return [i % 3 for i in x]
-- test
assert f(range(9)) == {0, 1, 2} and isinstance(f([1]), set)
== namedtuple
from collections import namedtuple
P = namedtuple("P", "x y")
p = P(1, 2)
-- wrong
p = (1, 2)
-- test
assert p.x == 1 and p == (1, 2) and p[1] == 2
-- test
assert p._asdict() == {"x": 1, "y": 2}
== Counter
from collections import Counter
def f(s): return Counter(s)
-- wrong
def f(s): return {c: 1 for c in s}
-- test
assert f("aab") == {"a": 2, "b": 1}
-- test
assert f("aab").most_common(1) == [("a", 2)] and f("a")["z"] == 0
== defaultdict
from collections import defaultdict
def group(xs):
    d = defaultdict(list)
    for x in xs: d[len(x)].append(x)
    return d
-- wrong
def group(xs):
    return {1: xs}
-- test
assert group(["a", "bb", "c"]) == {1: ["a", "c"], 2: ["bb"]}
-- test
assert group([])[5] == []
== deque
from collections import deque
q = deque([1, 2, 3], maxlen=3)
-- wrong
q = [1, 2, 3]
-- test
q.append(4)
assert list(q) == [2, 3, 4] and q.popleft() == 2
== OrderedDict
from collections import OrderedDict
d = OrderedDict(b=1, a=2)
-- wrong
d = dict(a=2, b=1)
-- test
assert list(d) == ["b", "a"] and d != OrderedDict(a=2, b=1)
== fractions and decimals
from fractions import Fraction
from decimal import Decimal
def f(a, b): return Fraction(a, b), Decimal(a)
-- wrong
def f(a, b): return a / b, a
-- test
from fractions import Fraction
from decimal import Decimal
assert f(1, 3) == (Fraction(1, 3), Decimal("1")) and f(2, 4)[0].denominator == 2
== dates
from datetime import date, datetime, timedelta
def f(d): return d + timedelta(days=1)
-- wrong
def f(d): return d
-- test
from datetime import date, datetime
assert f(date(2024, 2, 28)) == date(2024, 2, 29) and f(datetime(2024, 1, 1, 5)).hour == 5
== pathlib
from pathlib import Path
def f(p): return p.with_suffix(".txt")
-- wrong
def f(p): return p
-- test
from pathlib import Path
assert f(Path("a/b.csv")) == Path("a/b.txt") and f(Path("x.y")).name == "x.txt"
== regular expression
import re
def f(s): return re.match(r"(\\w+)@(\\w+)", s)
-- wrong
def f(s): return None
-- test
m = f("ada@home")
assert m.group(1) == "ada" and m.groups() == ("ada", "home") and m
== enum
from enum import Enum
class Color(Enum):
    RED = 1
-- wrong
class Color:
    RED = 2
-- test
assert Color.RED.value == 1
-- test
assert Color(1) == Color.RED
== context manager
class C:
    def __enter__(self): return 5
    def __exit__(self, *a): return False
-- wrong
class C:
    def __enter__(self): return 6
    def __exit__(self, *a): return False
-- test
with C() as c:
    assert c == 5
== property and class attributes
class T:
    count = 0
    def __init__(self): T.count += 1
    @property
    def twice(self): return 2 * T.count
-- wrong
class T:
    count = 0
    twice = 0
-- test
T()
assert T().twice == 4 and T.count == 2
== static and class methods
class T:
    @staticmethod
    def one(): return 1
    @classmethod
    def make(cls): return cls()
-- wrong
class T:
    @staticmethod
    def one(): return 2
    @classmethod
    def make(cls): return cls()
-- test
assert T.one() == 1 and isinstance(T.make(), T)
== abstract base class
from abc import ABC, abstractmethod
class Shape(ABC):
    @abstractmethod
    def area(self): ...
-- wrong
class Shape:
    def area(self): ...
-- test
try:
    Shape()
except TypeError:
    pass
else:
    raise AssertionError("abstract")
== hasattr
class A:
    def go(self): return 1
-- wrong
class A:
    def stop(self): return 1
-- test
assert hasattr(A, "go") and hasattr(A(), "go")
== decorator
def double(f):
    def wrapper(*args): return 2 * f(*args)
    return wrapper
-- wrong
def double(f): return f
-- test
@double
def g(x): return x + 1
assert g(1) == 4
== truth of an object
class Bag:
    def __init__(self, *x): self.x = x
    def __bool__(self): return bool(self.x)
-- wrong
class Bag:
    def __init__(self, *x): self.x = x
-- test
assert Bag(1) and not Bag()
== sorting objects
class C:
    def __init__(self, n): self.n = n
    def __lt__(self, o): return self.n < o.n
-- wrong
class C:
    def __init__(self, n): self.n = n
    def __lt__(self, o): return self.n > o.n
-- test
assert [c.n for c in sorted([C(2), C(1)])] == [1, 2]
== hash of an object
class P:
    def __init__(self, x): self.x = x
    def __eq__(self, o): return self.x == o.x
    def __hash__(self): return hash(self.x)
-- wrong
class P:
    def __init__(self, x): self.x = x
-- test
assert len({P(1), P(1)}) == 1
== vars of an object
class P:
    def __init__(self): self.x = 1
-- wrong
class P:
    pass
-- test
assert vars(P()) == {"x": 1}
== simple namespace
from types import SimpleNamespace
s = SimpleNamespace(a=1)
-- wrong
s = SimpleNamespace(a=2)
-- test
assert s.a == 1
-- test
assert s == SimpleNamespace(a=1)
== a module of its own
import math as m
-- wrong
import cmath as m
-- test
assert m.floor(1.5) == 1
"""

_WORLD = """
== printed output
def hello(): print("hi")
-- wrong
def hello(): print("ho")
-- test
import io, contextlib
b = io.StringIO()
with contextlib.redirect_stdout(b):
    hello()
assert b.getvalue() == "hi\\n"
== captured by the cell magic
def hello(): print("hi")
-- wrong
def hello(): print("ho")
-- test
from IPython.utils.capture import capture_output
with capture_output() as c:
    hello()
assert c.stdout == "hi\\n"
== sys.stdout replaced
def hello(): print("hi")
-- wrong
def hello(): return "hi"
-- test
import sys, io
old, sys.stdout = sys.stdout, io.StringIO()
try:
    hello()
    out = sys.stdout.getvalue()
finally:
    sys.stdout = old
assert out.strip() == "hi"
== print mocked
def hello(): print("hi")
-- wrong
def hello(): print("ho")
-- test
from unittest.mock import patch
with patch("builtins.print") as p:
    hello()
p.assert_called_with("hi")
== input mocked
def ask(): return int(input("n?"))
-- wrong
def ask(): return 5
-- test
from unittest.mock import patch
with patch("builtins.input", return_value="4"):
    assert ask() == 4
== input replaced
def ask(): return int(input())
-- wrong
def ask(): return 5
-- test
import builtins
old, builtins.input = builtins.input, lambda *a: "4"
try:
    assert ask() == 4
finally:
    builtins.input = old
== file written by the answer
open("result.txt", "w").write("42")
-- wrong
open("result.txt", "w").write("41")
-- test
assert open("result.txt").read() == "42"
== file written by a call
def save(path, text):
    with open(path, "w") as f: f.write(text)
-- wrong
def save(path, text):
    pass
-- test
save("out.txt", "hello")
assert open("out.txt").read() == "hello"
== file written by the test
def load(path): return open(path).read().split()
-- wrong
def load(path): return open(path).read()
-- test
open("in.txt", "w").write("a b")
assert load("in.txt") == ["a", "b"]
== temporary file of the test
def load(path): return sum(map(int, open(path)))
-- wrong
def load(path): return 0
-- test
import tempfile, os
with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as f:
    f.write("1\\n2\\n")
assert load(f.name) == 3
== data file
def load(): return [int(x) for x in open("data.csv").read().split(",")]
-- file data.csv
1,2,3
-- wrong
def load(): return []
-- test
assert load() == [1, 2, 3]
-- test
assert sum(int(x) for x in open("data.csv").read().split(",")) == sum(load())
== module beside the notebook
def f(x): return x + 1
-- file checks.py
def check(f):
    assert f(1) == 2
-- wrong
def f(x): return x
-- test
from checks import check
check(f)
== module that both import
import tools
def f(x): return tools.add(x, 1)
-- file tools.py
def add(a, b): return a + b
-- wrong
def f(x): return x
-- test
import tools
assert f(1) == tools.add(1, 1)
== module written by the answer
open("mine.py", "w").write("def f(x): return x + 1")
-- wrong
open("mine.py", "w").write("def f(x): return x")
-- test
from mine import f
assert f(1) == 2
-- test
assert f(2) == 3
== magic in a test
def f(x): return x + 1
-- wrong
def f(x): return x
-- test
%matplotlib inline
assert f(1) == 2
== time magic in a test
def f(x): return x + 1
-- wrong
def f(x): return x
-- test
%time y = f(1)
assert y == 2
== cell magic in a test
def f(x): return x + 1
-- wrong
def f(x): return x
-- test
%%time
assert f(1) == 2
== capture magic in a test
def hello(): print("hi")
-- wrong
def hello(): print("ho")
-- test
%%capture out
hello()
-- test
assert out.stdout == "hi\\n"
== get_ipython in a test
def f(x): return x + 1
-- wrong
def f(x): return x
-- test
shell = get_ipython()
assert shell is not None and shell.user_ns["f"](1) == 2
== source from the input history
x = [i for i in range(3)]
-- wrong
x = list(range(3))
-- test
assert any("for i in" in cell for cell in In)
== warnings
import warnings
def f():
    warnings.warn("old", DeprecationWarning)
-- wrong
def f(): pass
-- test
import warnings
with warnings.catch_warnings(record=True) as w:
    warnings.simplefilter("always")
    f()
assert len(w) == 1 and "old" in str(w[0].message)
== stderr of a test
def f(x): return x + 1
-- wrong
def f(x): return x
-- test
import warnings
warnings.warn("careful")
assert f(1) == 2
== environment
import os
os.environ["COURSE"] = "yes"
-- wrong
import os
-- test
import os
assert os.environ.get("COURSE") == "yes"
== await
async def f(x): return x + 1
-- wrong
async def f(x): return x
-- test
assert await f(1) == 2
== asyncio run in a thread
async def f(x): return x + 1
-- wrong
async def f(x): return x
-- test
import asyncio, threading
out = []
def run(): out.append(asyncio.run(f(1)))
t = threading.Thread(target=run)
t.start()
t.join()
assert out == [2]
== monkeypatched helper
def f(): return helper() + 1
-- setup
def helper(): return 1
-- wrong
def f(): return 2
-- test
old = helper
helper = lambda: 10
assert f() == 11
helper = old
== constant changed by the test
RATE = 2
def f(x): return RATE * x
-- wrong
RATE = 2
def f(x): return 2 * x
-- test
RATE = 3
assert f(2) == 6
== deleted name
def f(x): return x + 1
helper = 1
-- wrong
def f(x): return x + helper
helper = 1
-- test
del helper
assert f(1) == 2
== numpy print options and errstate
import numpy as np
def f(x): return np.log(x)
-- wrong
import numpy as np
def f(x): return np.log(x + 1)
-- test
with np.errstate(divide="ignore"):
    assert f(0.0) == -np.inf
== answer in a variable of the shell
3 + 4
-- wrong
3 + 5
-- test
assert _ == 7
== autograder by otter's style
def f(x): return x + 1
-- wrong
def f(x): return x
-- test
ok = {"name": "q1", "cases": [{"code": ">>> f(1)\\n2\\n"}]}
import doctest
runner = doctest.DocTestRunner(verbose=False)
for case in ok["cases"]:
    t = doctest.DocTestParser().get_doctest(case["code"], globals(), "q1", None, None)
    assert runner.run(t).failed == 0
== doctest of the answer
def f(x):
    '''
    >>> f(1)
    2
    '''
    return x + 1
-- wrong
def f(x):
    '''
    >>> f(1)
    2
    '''
    return x
-- test
import doctest
doctest.run_docstring_examples(f, globals())
assert doctest.testmod().failed == 0
"""

_SCIENCE = """
== data frame
df = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None]})
def clean(d): return d.dropna()
-- setup
import pandas as pd
import numpy as np
-- wrong
df = pd.DataFrame({"a": [1, 2, 4], "b": ["x", "y", "z"]})
def clean(d): return d
-- test
assert isinstance(df, pd.DataFrame)
-- test
pd.testing.assert_frame_equal(df, pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None]}))
-- test
assert len(clean(pd.DataFrame({"a": [1, None]}))) == 1
-- test
assert (df["a"] > 0).all() and df["a"].sum() == 6
-- test
assert np.allclose(df["a"], [1, 2, 3]) and list(df.columns) == ["a", "b"] and df.shape == (3, 2)
== series
s = pd.Series([1.5, 2.5], index=["a", "b"], name="n")
-- setup
import pandas as pd
-- wrong
s = pd.Series([1.5, 2.0], index=["a", "b"])
-- test
assert s["a"] == 1.5 and s.loc["b"] == 2.5 and s.name == "n" and s.index.tolist() == ["a", "b"]
-- test
pd.testing.assert_series_equal(s, pd.Series([1.5, 2.5], index=["a", "b"], name="n"))
== group by
def f(d): return d.groupby("k")["v"].mean()
-- setup
import pandas as pd
-- wrong
def f(d): return d.groupby("k")["v"].sum()
-- test
out = f(pd.DataFrame({"k": ["a", "b", "a"], "v": [1, 2, 3]}))
assert out["a"] == 2 and out.to_dict() == {"a": 2.0, "b": 2.0}
== dates in a frame
df = pd.DataFrame({"t": pd.date_range("2024-01-01", periods=3), "v": range(3)}).set_index("t")
-- setup
import pandas as pd
-- wrong
df = pd.DataFrame({"t": pd.date_range("2024-01-01", periods=3), "v": range(3)})
-- test
assert isinstance(df.index, pd.DatetimeIndex) and df.loc["2024-01-02", "v"] == 1
== frame changed in place
def f(d): d["c"] = d["a"] * 2
-- setup
import pandas as pd
-- wrong
def f(d): d = d.assign(c=d["a"] * 2)
-- test
d = pd.DataFrame({"a": [1, 2]})
f(d)
assert d["c"].tolist() == [2, 4]
== frame from a file
def load(): return pd.read_csv("data.csv")
-- setup
import pandas as pd
-- file data.csv
a,b
1,x
2,y
-- wrong
def load(): return pd.read_csv("data.csv", header=None)
-- test
pd.testing.assert_frame_equal(load(), pd.read_csv("data.csv"))
== categories
s = pd.Series(["a", "b", "a"], dtype="category")
-- setup
import pandas as pd
-- wrong
s = pd.Series(["a", "b", "a"])
-- test
assert s.dtype == "category" and list(s.cat.categories) == ["a", "b"]
== multi index
out = pd.DataFrame({"a": [1, 1], "b": [1, 2], "v": [3, 4]}).set_index(["a", "b"])
-- setup
import pandas as pd
-- wrong
out = pd.DataFrame({"a": [1, 1], "b": [1, 2], "v": [3, 4]}).set_index("a")
-- test
assert out.loc[(1, 2), "v"] == 4 and out.index.nlevels == 2
== figure
fig, ax = plt.subplots()
ax.plot([1, 2, 3], label="line")
ax.set_xlabel("x")
-- setup
import matplotlib.pyplot as plt
-- wrong
fig, ax = plt.subplots()
-- test
assert ax.get_xlabel() == "x"
-- test
assert len(ax.lines) == 1 and ax.lines[0].get_ydata().tolist() == [1, 2, 3]
-- test
assert isinstance(fig, plt.Figure)
== current axes
plt.plot([1, 2])
plt.title("t")
ax = plt.gca()
-- setup
import matplotlib.pyplot as plt
-- wrong
plt.plot([1, 2])
ax = plt.gca()
-- test
assert ax.get_title() == "t"
== figure of the current state
def draw(): plt.plot([1, 2])
-- setup
import matplotlib.pyplot as plt
-- wrong
def draw(): pass
-- test
plt.close("all")
draw()
assert len(plt.gca().lines) == 1
== estimator
model = LinearRegression().fit(X, y)
-- setup
import numpy as np
from sklearn.linear_model import LinearRegression
X = np.arange(4.0).reshape(-1, 1)
y = 2 * X.ravel() + 1
-- wrong
model = LinearRegression(fit_intercept=False).fit(X, y)
-- test
assert isinstance(model, LinearRegression)
-- test
assert np.allclose(model.predict(X), y)
-- test
assert np.isclose(model.coef_[0], 2) and np.isclose(model.intercept_, 1)
== estimator passed to sklearn
model = DecisionTreeClassifier(max_depth=1, random_state=0)
-- setup
import numpy as np
from sklearn.tree import DecisionTreeClassifier
from sklearn.model_selection import cross_val_score
X = np.arange(20.0).reshape(-1, 1)
y = (X.ravel() > 9).astype(int)
-- wrong
model = None
-- test
assert cross_val_score(model, X, y, cv=2).mean() >= 0.5
== estimator as argument
def train(m): return m.fit(X, y).score(X, y)
-- setup
import numpy as np
from sklearn.linear_model import LinearRegression
X = np.arange(4.0).reshape(-1, 1)
y = 2 * X.ravel() + 1
-- wrong
def train(m): return 0.0
-- test
assert train(LinearRegression()) > 0.99
== scipy optimum
def solve(): return minimize(lambda x: (x[0] - 1) ** 2, [0.0])
-- setup
from scipy.optimize import minimize
-- wrong
def solve(): return minimize(lambda x: (x[0] + 1) ** 2, [0.0])
-- test
r = solve()
assert abs(r.x[0] - 1) < 1e-4 and r.success
== scipy test result
r = stats.ttest_ind([1, 2, 3], [4, 5, 6])
-- setup
from scipy import stats
-- wrong
r = stats.ttest_ind([1, 2, 3], [1, 2, 3])
-- test
assert r.pvalue < 0.05
-- test
t, p = r
assert t < 0 and r.df == 4
== sparse matrix
A = sparse.csr_matrix([[0, 1], [2, 0]])
-- setup
from scipy import sparse
-- wrong
A = sparse.csr_matrix([[0, 1], [3, 0]])
-- test
assert A.nnz == 2 and (A.toarray() == [[0, 1], [2, 0]]).all() and sparse.issparse(A)
== string and date arrays
names = np.array(["a", "bb"])
days = np.array(["2024-01-01"], dtype="datetime64[D]")
things = np.array([1, "a", None], dtype=object)
-- setup
import numpy as np
-- wrong
names = np.array(["a", "bc"])
days = np.array(["2024-01-02"], dtype="datetime64[D]")
things = [1, "a", None]
-- test
assert (names == ["a", "bb"]).all() and names.dtype.kind == "U"
-- test
assert days[0] == np.datetime64("2024-01-01") and things.dtype == object and things[2] is None
== structured array
a = np.array([(1, 2.0)], dtype=[("n", "i4"), ("v", "f8")])
-- setup
import numpy as np
-- wrong
a = np.array([(1, 3.0)], dtype=[("n", "i4"), ("v", "f8")])
-- test
assert a["v"][0] == 2.0 and a.dtype.names == ("n", "v")
== masked array
a = np.ma.masked_less(np.arange(4), 2)
-- setup
import numpy as np
-- wrong
a = np.arange(4)
-- test
assert a.sum() == 5 and a.mask.tolist() == [True, True, False, False]
== matrix
m = np.matrix([[1, 2], [3, 4]])
-- setup
import numpy as np
-- wrong
m = np.array([[1, 2], [3, 4]])
-- test
assert (m * m == np.matrix([[7, 10], [15, 22]])).all()
== ufunc and vectorize
f = np.vectorize(lambda x: x + 1)
-- setup
import numpy as np
-- wrong
f = lambda x: x
-- test
assert f([1, 2]).tolist() == [2, 3]
== polynomial
p = np.poly1d([1, 2])
-- setup
import numpy as np
-- wrong
p = np.poly1d([1, 3])
-- test
assert p(1) == 3
-- test
assert p.order == 1 and list(p.coeffs) == [1, 2]
== dtype
d = np.dtype("float32")
x = np.zeros(2, d)
-- setup
import numpy as np
-- wrong
d = np.dtype("float64")
x = np.zeros(2, d)
-- test
assert x.dtype == np.float32 and d == np.float32
== sympy
e = sp.expand((x + 1) ** 2)
-- setup
import sympy as sp
x = sp.Symbol("x")
-- wrong
e = x
-- test
assert e == x ** 2 + 2 * x + 1
== picture as array
img = np.zeros((4, 4, 3), np.uint8)
img[..., 0] = 255
-- setup
import numpy as np
-- wrong
img = np.zeros((4, 4, 3), np.uint8)
-- test
assert img.dtype == np.uint8 and img[..., 0].min() == 255
== picture shown
from IPython.display import display, Image
import base64
png = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
display(Image(data=png))
size = len(png)
-- wrong
size = 0
-- test
assert size > 60
== graph of networkx
G = nx.path_graph(3)
-- setup
import networkx as nx
-- wrong
G = nx.path_graph(4)
-- test
assert G.number_of_edges() == 2 and sorted(G.nodes) == [0, 1, 2]
-- test
assert nx.shortest_path_length(G, 0, 2) == 2
== database
con = sqlite3.connect(":memory:")
con.execute("create table t (a int)")
con.execute("insert into t values (1)")
-- setup
import sqlite3
-- wrong
con = sqlite3.connect(":memory:")
con.execute("create table t (a int)")
-- test
assert con.execute("select count(*) from t").fetchone() == (1,)
== json and csv text
text = json.dumps({"a": [1, 2]})
-- setup
import json
-- wrong
text = "{}"
-- test
assert json.loads(text)["a"] == [1, 2]
"""

#: What a notebook has once, and judge and answer each for themselves.
_NAMESAKES = """
== answer that hides a builtin
def f(x): return x + 1
-- wrong
def f(x): return x + 1
sum = 3
-- test
assert sum([f(1), f(2)]) == 5
== answer that hides what a helper of the test calls
def f(x): return x + 1
-- wrong
def f(x): return x + 1
list = [1, 2]
-- test
def check(): return list(map(f, [1, 2]))
assert check() == [2, 3]
== answer that hides a module of the setup
def f(x): return x + 1
-- setup
import numpy as np
-- wrong
def f(x): return x + 1
np = None
-- test
assert np.isclose(f(1), 2)
== answer that changes an array of the setup
def mean(v): return v.sum() / len(v)
-- setup
import numpy as np
X = np.arange(6.0).reshape(3, 2)
-- wrong
X -= X.mean(0)
def mean(v): return v.sum() / len(v)
-- test
assert mean(X[:, 0]) == 2
== answer that changes a frame of the setup
out = df[df.a > 1]
-- setup
import pandas as pd
df = pd.DataFrame({"a": [1, 2, 3]})
-- wrong
df = df[df.a > 1]
out = df
-- test
assert len(out) == 2
-- test
assert len(df) == 3
== call that changes data of the setup
def f(xs): return sorted(xs)[-1]
-- setup
data = [1, 3, 2]
-- wrong
def f(xs):
    data.sort()
    return data.pop()
-- test
assert f(list(data)) == 3 and data == [1, 3, 2]
== data of the setup that a helper reads
def best(): return max(data)
-- setup
data = [1, 3, 2]
def first(): return data[0]
-- wrong
data = [9]
def best(): return max(data)
-- test
assert best() == 3
-- test
assert first() == 1
== everything of a module imported
from math import *
def f(x): return floor(x)
-- wrong
from math import floor
def f(x): return floor(x)
-- test
assert f(1.5) == 1
-- test
assert ceil(1.2) == 2
== modules that are loaded
import math
def f(x): return math.sqrt(x)
-- wrong
import cmath
def f(x): return cmath.sqrt(x).real
-- test
import sys
assert "cmath" not in sys.modules and f(4) == 2
== number of NumPy as points, from a test beside the answer
import numpy as np
class A:
    pass
def f(x): return x + 1
-- wrong
import numpy as np
class A:
    pass
def f(x): return np.where(x > 1, x, 2)
-- test
assert not issubclass(A, int)
np.mean(f(np.arange(1, 5)) == np.arange(2, 6)) * 2
== result under the name of a variable of the answer
def f(x):
    y = x + 1
    return y
-- wrong
y = 3
def f(x): return y
-- test
y = f(2)
assert y == 3
-- test
y = f(4)
assert y == 5
"""

STYLES = [
    *_read(_ALIASES),
    *_read(_NAMESAKES),
    *_read(_PLAIN),
    *_read(_OBJECTS),
    *_read(_WORLD),
    *_read(_SCIENCE),
]
