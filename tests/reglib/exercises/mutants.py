"""Programs that differ in one place from a right answer, and what a contract says of them.

``python -m tests.reglib.exercises.mutants [FUNCTION ...]`` tries all mutants of all right answers
and prints those that pass without a reason in ``equivalent_mutants.py``. The mutants of one
program are made from its syntax tree: another operator, comparison, number, flag, name or axis, a
statement, call, argument or bound less, two returned values exchanged.
"""

import argparse
import ast
import copy
import inspect
import re
import signal
import sys
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from tqdm import tqdm

from reglib.exercises._answers import program_of
from reglib.exercises._task import Task
from tests.reglib.exercises.contracts import TASKS
from tests.reglib.exercises.equivalent_mutants import ANYWHERE, EQUIVALENT

#: How often a mutant is tried before it counts as a survivor.
SEEDS = range(3)
#: A mutant that runs longer, in seconds, is in an endless loop.
PATIENCE = 5.0

_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.FloorDiv)
_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_OPPOSITE = {ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In}
_SIBLINGS = {
    "sum": "mean", "mean": "sum", "maximum": "minimum", "minimum": "maximum", "std": "var",
    "floor": "ceil", "rint": "floor", "round": "floor", "zeros": "ones", "ones": "zeros",
    "zeros_like": "ones_like", "argmin": "argmax", "argmax": "argmin", "min": "max", "max": "min",
    "cos": "sin", "sin": "cos", "random": "standard_normal", "all": "any", "any": "all",
}  # fmt: skip
#: Calls that return another type of the same values, or the same for arguments exchanged.
_CONVERSIONS = {"float", "int", "bool", "list", "tuple", "tolist", "copy", "asarray", "array"}
_SYMMETRIC = {"maximum", "minimum", "max", "min", "array_equal", "multiply", "add", "clip"}


def replacements(node: ast.AST, names: list[str]) -> Iterator[ast.AST | None]:
    """Yield what could stand in the place of a node; None is nothing at all."""
    match node:
        case ast.BinOp(left, op, right):
            for other in _ARITHMETIC:
                if not isinstance(op, other):
                    yield ast.BinOp(left, other(), right)
            yield left
            yield right
        case ast.AugAssign(target, op, value):
            value_now = ast.Name(target.id, ast.Load()) if isinstance(target, ast.Name) else None
            yield ast.Assign([target], value)
            for other in _ARITHMETIC[:4]:
                if not isinstance(op, other):
                    yield ast.AugAssign(target, other(), value)
            if value_now is not None:
                yield None
        case ast.Compare(left, [op], [right]):
            others = [_OPPOSITE[type(op)]] if type(op) in _OPPOSITE else _ORDER
            for other in others:
                if not isinstance(op, other):
                    yield ast.Compare(left, [other()], [right])
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.And() if isinstance(op, ast.Or) else ast.Or(), values)
            yield from values
        case ast.UnaryOp(ast.USub() | ast.Not() | ast.Invert(), operand):
            yield operand
        case ast.Constant(bool() as flag):
            yield ast.Constant(not flag)
        case ast.Constant(int() | float() as number):
            for other in {number + 1, number - 1, 0, -number} - {number}:
                yield ast.Constant(other)
        case ast.Name(name, ast.Load()) if name in names:
            for other in names:
                if other != name:
                    yield ast.Name(other, ast.Load())
        case ast.Call(function, given, named):
            if isinstance(function, ast.Attribute) and function.attr in _SIBLINGS:
                sibling = ast.Attribute(function.value, _SIBLINGS[function.attr], ast.Load())
                yield ast.Call(sibling, given, named)
            for place in range(len(named)):
                yield ast.Call(function, given, named[:place] + named[place + 1 :])
            if len(given) > 1:
                yield ast.Call(function, given[:-1], named)
                if _name_of(function) not in _SYMMETRIC:
                    yield ast.Call(function, [given[1], given[0], *given[2:]], named)
            if given and _name_of(function) not in _CONVERSIONS:
                yield given[0]
            elif isinstance(function, ast.Attribute) and function.attr not in _CONVERSIONS:
                yield function.value
        case ast.Slice(lower, upper, step):
            for other in ((None, upper, step), (lower, None, step), (lower, upper, None)):
                if other != (lower, upper, step):
                    yield ast.Slice(*other)
        case ast.Tuple([first, second, *rest], ast.Load()):
            yield ast.Tuple([second, first, *rest], ast.Load())
        case ast.If() | ast.IfExp():
            for truth in (True, False):
                changed = copy.copy(node)
                changed.test = ast.Constant(truth)
                yield changed
        case ast.Assign() | ast.Expr() | ast.Break() | ast.Continue():
            yield None


def _name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def mutants(program: str) -> Iterator[tuple[str, str]]:
    """Yield mutants of a program: the line as it was and as it is, and the whole program."""
    tree = ast.parse(program)
    _strip(tree)
    names = [
        node.arg for node in ast.walk(tree) if isinstance(node, ast.arg) and node.arg != "self"
    ]
    before = ast.unparse(tree).split("\n")
    seen = set()
    for path, node in _places(tree):
        for other in replacements(node, names):
            mutant = copy.deepcopy(tree)
            _put(mutant, path, copy.deepcopy(other))
            text = ast.unparse(ast.fix_missing_locations(mutant))
            if text in seen:
                continue
            seen.add(text)
            after = text.split("\n")
            at = next((i for i, (a, b) in enumerate(zip(before, after)) if a != b), None)  # noqa: B905
            if at is not None:
                yield f"{before[at].strip()} -> {after[at].strip()}", text


def _strip(tree: ast.Module) -> None:
    """Take off what computes nothing: docstrings, annotations, checks of arguments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for argument in (*node.args.args, *node.args.kwonlyargs):
                argument.annotation = None
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node.decorator_list = []
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:]
            node.body = [part for part in node.body if not _refuses(part)] or [ast.Pass()]


def _refuses(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and isinstance(statement.body[-1], ast.Raise)


def _places(tree: ast.AST, path: tuple = ()) -> Iterator[tuple[tuple, ast.AST]]:
    for field, value in ast.iter_fields(tree):
        if field == "annotation":
            continue
        if isinstance(value, ast.AST):
            yield (*path, (field, None)), value
            yield from _places(value, (*path, (field, None)))
        elif isinstance(value, list):
            for i, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield (*path, (field, i)), item
                    yield from _places(item, (*path, (field, i)))


def _put(tree: ast.AST, path: tuple, node: ast.AST | None) -> None:
    for field, i in path[:-1]:
        tree = getattr(tree, field) if i is None else getattr(tree, field)[i]
    field, i = path[-1]
    if i is None:
        setattr(tree, field, node)
    else:
        getattr(tree, field)[i] = ast.Pass() if node is None else node


def programs(task: Task) -> Iterator[str]:
    """Yield all right answers of a task as programs, the reference first."""
    reference = inspect.unwrap(task.reference)
    yield textwrap.dedent(inspect.getsource(reference))
    for text in (task.model, *task.right):
        yield program_of(text, task.signature)


def survives(task: Task, program: str) -> bool:
    """Say whether a program passes for a right answer."""
    scope = {**vars(sys.modules[task.reference.__module__]), "np": np, **task.given}

    def give_up(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(program, "<mutant>", "exec"), scope)
            return task.accepts(scope[task.name], SEEDS)
    except (Exception, RecursionError, MemoryError):
        return False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def is_equivalent(task: Task, change: str) -> bool:
    """Say whether a reason is known why a change makes no wrong answer."""
    known = (*ANYWHERE, *EQUIVALENT.get(task.name, ()))
    return any(re.search(pattern, change) for pattern, _ in known)


def survivors(task: Task, every: int = 1) -> list[tuple[str, str]]:
    """Return the changes that make no difference to the contract, and have no reason not to."""
    found = [one for program in programs(task) for one in mutants(program)]
    return [
        (change, program)
        for change, program in found[::every]
        if not is_equivalent(task, change) and survives(task, program)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Try all mutants of the chosen functions, or of all, and print what passes."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.reglib.exercises.mutants", description=main.__doc__
    )
    known = [task.name for task in TASKS]
    parser.add_argument("functions", nargs="*", metavar="FUNCTION", help=", ".join(known))
    chosen = parser.parse_args(arguments).functions
    if strange := sorted(set(chosen) - set(known)):
        parser.error(f"FUNCTION must be one of {', '.join(known)}, got {', '.join(strange)}")
    tasks = [i for i, name in enumerate(known) if not chosen or name in chosen]
    failed = 0
    with ProcessPoolExecutor() as pool:
        for i, (number, found) in zip(
            tasks, tqdm(pool.map(_report, tasks), total=len(tasks)), strict=True
        ):
            print(f"{TASKS[i].name}: {number} mutants, {len(found)} pass", flush=True)
            for change, _ in found:
                print(f"    {change}")
            failed += len(found)
    return 1 if failed else 0


def _report(i: int) -> tuple[int, list[tuple[str, str]]]:
    task = TASKS[i]
    return sum(1 for program in programs(task) for _ in mutants(program)), survivors(task)


if __name__ == "__main__":
    sys.exit(main())
