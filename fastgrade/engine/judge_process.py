"""The judge's process: runs test cells, which see the student's names as proxies.

It is a fork of a warm process of its own that may hold references and secrets. Test cells come
from the instructor's notebook alone. What a test concludes is decided here, on plain data; the
student's process only ever answers calls.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import errno
import importlib
import io
import math
import os
import socket
import sys
import traceback
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from fastgrade.engine import imports
from fastgrade.engine.foreign_code import ForeignCode
from fastgrade.engine.judge_limits import helpers, why_not_here
from fastgrade.engine.judge_namespace import Namespace
from fastgrade.engine.outcomes import TestOutcome
from fastgrade.rpc.codec import WireError
from fastgrade.rpc.judge_side import JudgePeer, StudentError, StudentLost
from fastgrade.rpc.namesakes import difference, own_pictures, pictures, reached
from fastgrade.rpc.proxies import StudentObject, UnansweredError
from fastgrade.sandbox.confine import confine, prepare
from fastgrade.sandbox.landlock import ReadableTree, loaded_packages, python_roots
from fastgrade.settings import Limits
from warmfork.channel import Channel

__all__ = ["main", "warm_up"]

_tree: ReadableTree | None = None
_MAX_TEXT = 20_000
#: Magics that change how things are shown, or nothing that a test could see.
_SHOWING = {"matplotlib", "config", "load_ext", "autoreload", "pylab", "precision", "aimport"}
#: What a notebook binds to what has been typed and shown.
_HISTORY = {"In", "Out", "_", "__", "___", "_i", "_ii", "_iii", "_ih", "_oh", "_dh", "exit", "quit"}
#: How many mistakes one test may name.
_MAX_NAMES = 20
#: What a system call can fail with for which no answer is to blame.
_MACHINE = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO),
    *(errno.EAGAIN, errno.EMFILE, errno.ENFILE),
}
#: Those of them that no answer can bring about in the judge.
_EXHAUSTED = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EAGAIN, errno.ENFILE, errno.EMFILE}
#: Where libraries word assertions of their own.
_ASSERTING = ("/numpy/testing/", "/pandas/_testing/", "/unittest/case.py")
_ALIASES = {
    "np": "numpy",
    "numpy": "numpy",
    "pd": "pandas",
    "pandas": "pandas",
    "plt": "matplotlib.pyplot",
    "matplotlib": "matplotlib",
    "sns": "seaborn",
    "scipy": "scipy",
    "sklearn": "sklearn",
    "pytest": "pytest",
}


def warm_up(options: Mapping[str, Any]) -> None:
    """Import what tests do, and open what the judge may read."""
    global _tree
    imports.load(options["imports"])
    if options["level"] in ("sandbox", "namespaces"):
        _tree = ReadableTree([*python_roots(), *options["readable"], *loaded_packages()])
        prepare(_tree)


def main(arguments: Mapping[str, Any], descriptors: Sequence[int]) -> int:
    """Serve the grader until it hangs up.

    Parameters
    ----------
    arguments : mapping
        ``folder``, ``modules`` (or None) below it, ``limits``, ``level``, ``identity``.
    descriptors : sequence of int
        Socket to the grader.
    """
    limits = Limits(**arguments["limits"])
    grader = Channel(socket.socket(fileno=descriptors[0]))
    null = os.open(os.devnull, os.O_RDWR)
    for target in (0, 1, 2):
        os.dup2(null, target)
    os.close(null)
    os.chdir(os.path.join(arguments["folder"], "work"))
    if arguments["modules"] is not None:
        sys.path.insert(0, arguments["modules"])  # where a notebook finds them, too
    try:
        confine(
            limits,
            _tree,
            [arguments["folder"], os.devnull],
            level=arguments["level"],
            forks=False,
            identity=arguments["identity"],
            keep_reading=_tree is not None and not _tree.is_public(),
        )
    except Exception as error:
        grader.send({"say": "failed", "why": str(error)})
        return 1
    grader.send({"say": "ready"})
    foreign = ForeignCode(os.path.join(arguments["folder"], "work"))
    foreign.refuse()
    bench = _Bench(limits, foreign)
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            request, passed = grader.receive()
            if request["do"] == "prepare":
                reply = bench.prepare(request["code"])
            else:
                with socket.socket(fileno=passed[0]) as connection:
                    reply = bench.test(request, connection)
            grader.send(reply)
    return 0


class _Bench:
    """The judge's namespace and what is done in it."""

    def __init__(self, limits: Limits, foreign: ForeignCode):
        self._limits = limits
        self._module = Namespace()
        self._names: dict[str, Any] = self._module.__dict__
        self._aside: dict[str, Any] = {}
        self._prepared: list[str] = []
        self._helpers: dict[str, str] = {}
        self._shell = _NoShell()
        self._foreign = foreign
        self._names["get_ipython"] = lambda: self._shell
        sys.modules["__main__"] = self._module

    def prepare(self, code: str) -> dict[str, Any]:
        """Run statements of the instructor that tests depend on."""
        self._prepared.append(code)
        self._helpers = helpers(code, self._helpers)
        with _captured(io.StringIO()):
            try:
                exec(compile(code, "<setup>", "exec"), self._names)
            except BaseException as error:
                why = _told(error)
                missing = error.name if isinstance(error, NameError) else None
                return {"status": TestOutcome.ERROR.value, "why": why, "missing": missing}
        return {"status": TestOutcome.OK.value}

    def test(self, request: Mapping[str, Any], connection: socket.socket) -> dict[str, Any]:
        """Run a test cell and say how it ended."""
        peer = JudgePeer(
            connection, self._limits.message_mb << 20, request["answers"], request["looks"]
        )
        self._shell.unable = self._foreign.unable = peer.unable
        self._module.refresh()
        self._module.unable = peer.unable
        before = set(self._names)
        self._helpers = helpers(request["code"], self._helpers)
        taken: dict[str, Any] = {}
        outcome, reply = TestOutcome.ERROR, dict[str, Any]()
        errors = io.StringIO()
        with _captured(errors) as output:
            try:
                why = why_not_here(request["code"], self._helpers)
                if why:
                    raise peer.unable(why)
                taken = self._take_names(peer, request)
                own = self._own(request, taken)
                value = _run_cell(request["code"], self._names)
                outcome, reply = TestOutcome.OK, {"text": None, "number": None}
                reply["aliased"] = peer.aliases() + self._others(peer, own, request)
                if value is not None:
                    scores = request["scores"]
                    reply["number"] = _points(value) if scores else _number(value, request["code"])
                    reply["text"] = repr(value)[:_MAX_TEXT]
                    if issubclass(type(value), int | float):
                        message = str(getattr(value, "message", ""))[:_MAX_TEXT]
                        reply |= {**_told_of(value), "message": message}
            except StudentLost:
                outcome = TestOutcome.LOST
            except WireError as error:
                outcome, reply = TestOutcome.ERROR, {"ename": "ValueError", "message": str(error)}
            except RecursionError:
                told = "the answer and the test called each other too often"
                outcome, reply = TestOutcome.ERROR, {"ename": "RecursionError", "message": told}
            except BaseException as error:
                outcome, reply = TestOutcome.ERROR, self._failure(error, request, peer)
        self._module.unable = None
        if outcome is TestOutcome.ERROR or reply.get("number") is not None:
            reply["shared"] = self._shared(peer, request)
        if peer.is_lost and outcome is TestOutcome.OK:
            outcome = TestOutcome.LOST  # a test may catch whatever is raised
        is_bound = outcome is TestOutcome.OK
        self._forget(before, taken, request["instructors"] if is_bound else ())
        return {
            "status": outcome.value,
            "stdout": output.getvalue()[:_MAX_TEXT],
            "unanswered": peer.unanswered,
            "warned": bool(errors.getvalue()),
            "looked": peer.has_looked,
            **reply,
        }

    def _take_names(self, peer: JudgePeer, request: Mapping[str, Any]) -> dict[str, Any]:
        """Put the names that a test takes from the student into the judge's namespace."""
        unknown = self._unknown(request["perhaps"])
        # What tests and setup cells were to bind is not for the answer to choose.
        unknown = [name for name in unknown if name not in request["instructors"]]
        history = sorted(_HISTORY.intersection(unknown))
        if history:
            raise peer.unable(f"a test reads {history[0]}, which a notebook alone has")
        imported = [name for name in request["imported"] if name in self._names]
        taken = peer.names([*request["names"], *unknown, *imported])
        for name in imported:
            self._hold_back(name, taken)
        self._names.update(taken)
        return taken

    def _own(self, request: Mapping[str, Any], taken: Mapping[str, Any]) -> dict[str, str]:
        """Describe what a test reads that is no answer's."""
        reads = reached([*request["names"], *request["perhaps"]], self._names)
        return own_pictures(self._names, reads - taken.keys() - set(request["instructors"]))

    def _others(
        self, peer: JudgePeer, before: Mapping[str, str], request: Mapping[str, Any]
    ) -> list[str]:
        """Name what a test has read here and would have found changed in a notebook."""
        now = own_pictures(self._names, before)
        own = {name: picture for name, picture in before.items() if now.get(name) == picture}
        # All names are asked for: which of them a hidden test reads is nobody's business.
        public = self._names.keys() - set(request["instructors"])
        others = peer.pictures(sorted(vars(builtins).keys() | public))
        return [f"another {name}" for name in difference(own, others)]

    def _shared(self, peer: JudgePeer, request: Mapping[str, Any]) -> list[str]:
        """Name what a test has bound here and functions of the answer read from a notebook."""
        reads = peer.reads()
        theirs = peer.pictures(sorted(reads))
        bound = pictures(self._names, reads.intersection(request["instructors"]))
        return sorted(n for n, picture in bound.items() if not picture or theirs.get(n) != picture)

    def _hold_back(self, name: str, taken: dict[str, Any]) -> None:
        """Keep what the judge has imported itself, if the student has imported the same."""
        if name not in taken:
            self._aside[name] = self._names.pop(name)
        elif _is_the_same(taken[name], self._names[name]):
            del taken[name]
        else:
            self._aside[name] = self._names[name]

    def _failure(
        self, error: BaseException, request: Mapping[str, Any], peer: JudgePeer
    ) -> dict[str, Any]:
        """Say why a test has failed, or what keeps it from running here at all."""
        hidden = _is_hidden(error, request["hidden"])
        report = _report(error, hidden)
        if hidden and isinstance(error, AssertionError) and not isinstance(error, StudentError):
            is_named = bool(report.get("hint") or report.get("mistakes"))
            if not is_named and not self._is_written(report["message"], request["code"]):
                report["message"] = "a hidden test failed"
        missing = getattr(error, "name", None) if isinstance(error, NameError) else None
        if missing is not None:
            report["missing"] = missing
            if missing in (*request["names"], *request["perhaps"]):
                text = f"the notebook does not define {missing}, or its cell failed"
                report |= {"message": text, "note": ""}
            return report
        if peer.has_raised(error):
            return report
        exhausted = isinstance(error, OSError) and error.errno in _EXHAUSTED
        return {**report, "fault": _fault(error), "exhausted": exhausted}

    def _is_written(self, message: str, code: str) -> bool:
        """Whether the instructor has written a message as it is: others may hold values."""
        written = {
            part.value
            for text in (code, *self._prepared)
            for part in ast.walk(ast.parse(text))
            if isinstance(part, ast.Constant) and isinstance(part.value, str)
        }
        return message in written

    def _unknown(self, names: Sequence[str]) -> list[str]:
        """Return the names that neither the instructor nor Python binds.

        A library that only the student has imported is imported here: the student's may be
        patched.
        """
        unknown = []
        for name in names:
            if name in self._names or hasattr(builtins, name):
                continue
            library = _ALIASES.get(name, name if name in sys.stdlib_module_names else None)
            if library is None:
                unknown.append(name)
            else:
                with contextlib.suppress(ImportError):
                    self._names[name] = importlib.import_module(library)
        return unknown

    def _forget(self, before: set[str], taken: Mapping[str, Any], bound: Collection[str]) -> None:
        """Drop what belongs to the fork that served this question, not what tests have bound."""
        self._names |= self._aside
        self._aside.clear()
        for name, value in list(self._names.items()):
            is_own = name in taken and value is taken[name] and name not in before
            if issubclass(type(value), StudentObject) or (is_own and name not in bound):
                del self._names[name]


class _NoShell:
    """Stands in for IPython's shell, which only the answer's process has.

    Magics that only change how things are shown do nothing here; no other can be answered.
    """

    def __init__(self) -> None:
        self.unable: Callable[[str], Exception] = UnansweredError

    def run_line_magic(self, name: str, line: str, *more: Any) -> None:
        """Do nothing, for magics that change nothing else."""
        if name not in _SHOWING:
            raise self.unable(f"a test uses the magic %{name}, which a notebook alone has")

    def __getattr__(self, name: str) -> Any:
        raise self.unable(f"a test uses get_ipython().{name}, which a notebook alone has")


@contextlib.contextmanager
def _captured(errors: io.StringIO) -> Any:
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        yield output


def _run_cell(code: str, names: dict[str, Any]) -> Any:
    """Run a cell; return the value of its last expression, as a notebook would show it."""
    tree = ast.parse(code, "<test>")
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr) and not code.rstrip().endswith(";"):
        last = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
    exec(compile(tree, "<test>", "exec"), names)
    return None if last is None else eval(compile(last, "<test>", "eval"), names)


def _is_the_same(given: Any, own: Any) -> bool:
    """Whether the judge's own import stands for the student's; nothing else replaces a module."""
    if isinstance(own, types.ModuleType) and getattr(given, "_kind", None) != "module":
        return True
    return getattr(given, "__name__", None) == getattr(own, "__name__", None)


def _number(value: Any, code: str) -> float | None:
    """Return the points that a value stands for; None where nbgrader would see no number."""
    if isinstance(value, StudentObject | bool):
        return None
    if isinstance(value, np.ndarray) and value.ndim and _is_calculation(code):
        # It was to be a number, and would count in full as an array: not for the answer to choose.
        return _number(value.item(), "") if value.size == 1 else math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError):
        return None


def _points(value: Any) -> float | None:
    """Return a value that is a number; an array, a text or a truth is none."""
    is_number = issubclass(type(value), int | float | np.integer | np.floating)
    return float(value) if is_number and not issubclass(type(value), bool) else None


def _is_calculation(code: str) -> bool:
    """Whether a cell ends in arithmetic, or in a name for the result of arithmetic."""
    *before, last = ast.parse(code).body
    value = getattr(last, "value", None)
    name = value.id if isinstance(value, ast.Name) else None
    for node in reversed(before) if name is not None else ():
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            value = node.value
            break
    return isinstance(value, ast.BinOp) and not isinstance(value.op, ast.MatMult)


def _is_hidden(error: BaseException, first: int | None) -> bool:
    """Whether a test stopped at or after its first hidden line."""
    if first is None:
        return False
    lines = [
        frame.lineno or first
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == "<test>"
    ]
    return not lines or lines[0] >= first


def _report(error: BaseException, hidden: bool) -> dict[str, Any]:
    """Say what went wrong, in words that a student may read."""
    if isinstance(error, StudentError):
        where = "" if error.line is None else f" in line {error.line} of the cell"
        text = f": {error.evalue}" if error.evalue else ""
        return {
            "ename": error.ename,
            "message": f"your code raised {error.ename}{where}{text}"[:_MAX_TEXT],
            "evalue": error.evalue[:_MAX_TEXT],
            "traceback": list(error.traceback),
        }
    try:
        message = str(error)
    except Exception:
        message = type(error).__name__
    report: dict[str, Any] = {"ename": type(error).__name__, "message": message[:_MAX_TEXT]}
    if isinstance(error, AssertionError):
        report |= _told_of(error)
        if not message or (hidden and _is_quoting(error)):
            report["message"] = "a hidden test failed" if hidden else _assertion(error)
    elif hidden:
        # Not the student's exception and not a verdict: its text may quote the test.
        report["message"] = f"the test stopped with {type(error).__name__}"
        report["note"] = message[:2000]
    elif (line := _line(error)) is not None:
        report["message"] = f"{message} (line {line} of the test)"[:_MAX_TEXT]
    render = getattr(error, "_render_traceback_", None)
    if render is not None and not hidden:
        with contextlib.suppress(Exception):
            report["traceback"] = [str(line) for line in render()][:200]
    return report


def _told_of(verdict: Any) -> dict[str, Any]:
    """Return what a failed assertion, or a number of points, says of the answer in attributes.

    They are ``hint``, and ``mistake`` (a name) or ``mistakes`` (names, each with its hint).
    """
    hint = str(getattr(verdict, "hint", None) or "")[:2000]
    mistakes = getattr(verdict, "mistakes", None)
    if not isinstance(mistakes, Mapping):
        mistake = getattr(verdict, "mistake", None)
        mistakes = {} if mistake is None else {getattr(mistake, "name", mistake): hint}
    named = list(mistakes.items())[:_MAX_NAMES]
    return {"hint": hint, "mistakes": {str(name)[:200]: str(text)[:2000] for name, text in named}}


def _is_quoting(error: BaseException) -> bool:
    """Whether a library has worded an assertion: such quote what was returned and expected."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and any(part in frames[-1].filename for part in _ASSERTING)


def _fault(error: BaseException) -> str | None:
    """Say what is wrong with the machine or the course, if that is why a test has stopped."""
    if isinstance(error, StudentError):
        return None
    if isinstance(error, OSError):
        missing = isinstance(error, FileNotFoundError) and isinstance(error.filename, str)
        # A file that is missing in the submission's own folder may be one to hand in.
        if not (missing and os.path.isabs(error.filename)) and error.errno not in _MACHINE:
            return None
    elif not isinstance(error, ImportError):
        return None
    return _told(error)


def _told(error: BaseException) -> str:
    text = f"{type(error).__name__}: {error}"[:2000]
    if isinstance(error, ModuleNotFoundError):
        text += " (of the modules beside the notebook, tests can import the instructor's only)"
    return text


def _assertion(error: BaseException) -> str:
    line = _line(error)
    return (
        "an assertion failed"
        if line is None
        else f"the assertion in line {line} of the test failed"
    )


def _line(error: BaseException) -> int | None:
    """Return the line of the test in which an error has come up."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == "<test>":
            return frame.lineno
    return None
