"""Answers written as text: a model answer, the same with a mistake in it, the same in other styles.

A text is an expression, the body of the function that a signature begins, or whole ``def`` and
``class`` statements. A mistake is an *edit* of the model answer, ``(old, new)`` or several of them,
or a whole wrong answer.
"""

from __future__ import annotations

import ast
import functools
import itertools
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from reglib.exercises._findings import Mistake

#: One replacement in a model answer, or several that belong together; or a whole wrong answer.
Answer: TypeAlias = "str | tuple[str, str] | tuple[tuple[str, str], ...]"
#: Names that an answer may use without defining them, in pairs with what they mean.
Given: TypeAlias = tuple[tuple[str, Any], ...]


def program_of(text: str, signature: str) -> str:
    """Return the program that a text stands for.

    Examples
    --------
    >>> print(program_of("np.abs(w).sum()", "l1(w)"))
    def l1(w):
        return np.abs(w).sum()
    """
    text = textwrap.dedent(text).strip()
    name, statements = signature.split("(")[0], ast.parse(text).body
    if any(getattr(statement, "name", None) == name for statement in statements):
        return text
    if len(statements) == 1 and isinstance(statements[0], ast.Expr):
        text = f"return {text}"
    return f"def {signature}:\n{textwrap.indent(text, '    ')}"


@functools.lru_cache(maxsize=4096)
def function_of(text: str, signature: str, given: Given = ()) -> Any:
    """Return the function or class that a text defines.

    Parameters
    ----------
    text : str
        The answer.
    signature : str
        What it is called and what it takes, ``"l2_penalty(weights, lam, m)"``.
    given : tuple of pairs
        What the notebook has imported beside NumPy.

    Examples
    --------
    >>> function_of("w - t", "shrink(w, t)")(3, 1)
    2
    """
    scope: dict[str, Any] = {"np": np, **dict(given)}
    exec(compile(program_of(text, signature), "<answer>", "exec"), scope)
    return scope[signature.split("(")[0]]


def edited(model: str, answer: Answer) -> str | None:
    """Return a wrong answer as a text, or None where there is nothing to replace.

    Examples
    --------
    >>> edited("lam / m * total", (" / m", ""))
    'lam * total'
    """
    if isinstance(answer, str):
        return answer
    edits = (answer,) if isinstance(answer[0], str) else answer
    for old, new in edits:
        if old not in model:
            return None
        model = model.replace(old, new)
    return model


def wrong_answers(model: str, mistakes: Sequence[Mistake]) -> Iterator[str]:
    """Yield what somebody writes who makes all of these mistakes, each in one of its ways.

    A whole wrong answer has one mistake alone; edits go together unless one leaves nothing to
    edit for the next.
    """
    model = textwrap.dedent(model).strip()
    for ways in itertools.product(*(mistake.answers for mistake in mistakes)):
        if len(ways) > 1 and any(isinstance(way, str) for way in ways):
            continue
        text: str | None = model
        for way in ways:
            text = None if text is None else edited(text, way)
        if text is not None and text != model:
            yield text
