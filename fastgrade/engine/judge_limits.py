"""Tests that say nothing in the judge, read off their text.

Some tests change the process around an answer: they catch what it prints or warns of, make warnings
or overflows errors, or put something else in the place of a library's function. In the judge that
changes another process than the answer's, and a test that forbids something would pass. So would
one that asks which arrays share memory: copies do not.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator, Mapping

__all__ = ["helpers", "why_not_here"]

_AROUND = {
    *("redirect_stdout", "redirect_stderr", "capture_output", "catch_warnings", "simplefilter"),
    *("filterwarnings", "errstate", "seterr", "seterrcall", "setrecursionlimit", "patch"),
    *("assertWarns", "assertLogs", "assert_warns", "assert_no_warnings", "warns", "settrace"),
    *("setprofile", "localcontext", "tracemalloc", "assert_produces_warning", "option_context"),
}
_STANDARD = sys.stdlib_module_names
_MEMORY = {"shares_memory", "may_share_memory", "owndata"}


def helpers(code: str, known: Mapping[str, str]) -> dict[str, str]:
    """Return the functions and classes of a cell that cannot do here what they are for, and why."""
    found = dict(known)
    for node in _parse(code).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            why = _why(node, found)
            if why:
                found[node.name] = why
    return found


def why_not_here(code: str, known: Mapping[str, str]) -> str:
    """Return why a test says nothing in the judge; empty where it does.

    >>> why_not_here("assert softmax(x).sum() == 1", {})
    ''
    >>> why_not_here("with np.errstate(all='raise'): softmax(x)", {})
    "a test uses errstate, which changes another process than the answer's here"
    """
    tree = _parse(code)
    imported = {name for node in ast.walk(tree) for name in _imported(node)}
    return _why(tree, helpers(code, known), _STANDARD | {"np", "plt", "pd"} | imported)


def _parse(code: str) -> ast.Module:
    try:
        return ast.parse(code)
    except SyntaxError:
        return ast.Module([], [])


def _why(tree: ast.AST, known: Mapping[str, str], modules: Collection[str] = _STANDARD) -> str:
    for node in ast.walk(tree):
        for name in _called(node):
            if name in _AROUND:
                return f"a test uses {name}, which changes another process than the answer's here"
        asks = isinstance(node, ast.Attribute) and node.attr in _MEMORY
        if asks or (isinstance(node, ast.Compare) and _asks_for_base(node)):
            return "a test looks at which arrays share memory, and copies do not"
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.modules":
            return "a test looks at sys.modules, which are others here"
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in known:
            return known[node.id]
        for target in _assigned(node):
            if target in modules:
                return f"a test changes the module {target}, which is another one here"
    return ""


def _called(node: ast.AST) -> Iterator[str]:
    """Yield the parts of the name of what is called."""
    function = node.func if isinstance(node, ast.Call) else None
    while isinstance(function, ast.Attribute):
        yield function.attr
        function = function.value
    if isinstance(function, ast.Name):
        yield function.id


def _asks_for_base(node: ast.Compare) -> bool:
    """Whether a comparison is of the kind ``view.base is array``."""
    sides = (node.left, *node.comparators)
    is_identity = any(isinstance(operator, ast.Is | ast.IsNot) for operator in node.ops)
    return is_identity and any(isinstance(s, ast.Attribute) and s.attr == "base" for s in sides)


def _assigned(node: ast.AST) -> Iterator[str]:
    """Yield the names whose attributes a statement binds or deletes."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
        root: ast.AST = node.value
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name):
            yield root.id


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
