"""Whether the claims of a chapter hold with other seeds and four times the training.

A claim is an assertion with a sentence, in a cell of the page with the tag ``claim``. The build
fails if one is false. Here the same cells run again under stress, see
:func:`reglib.experiments.run`, and each claim is examined by itself.
"""

from __future__ import annotations

import ast
import enum
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from regbook import cells, kept_results
from regbook.recompute import RESULTS

TAG = "claim"
#: How what became of a claim is told among a cell's outputs.
CLAIM = "application/vnd.regbook.claim+json"


class Verdict(enum.Enum):
    """What became of a claim."""

    HOLDS = "holds"
    FALLS = "FALLS"
    FAILS = "FAILS"  # it, or a cell before it, raised another error


@dataclass(frozen=True)
class Examined:
    """A claim, or a cell that failed, and what became of it."""

    sentence: str
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True)
class Report:
    """What was found in a chapter, and which experiments stress could not lengthen."""

    examined: list[Examined]
    not_lengthened: list[str]


class ClaimError(ValueError):
    """What is wrong with a claim, in words for its author."""


def is_claim(cell: NotebookNode) -> bool:
    """Return whether a cell makes claims."""
    return cell.cell_type == "code" and TAG in cell.metadata.get("tags", [])


class _Recorded(ast.NodeTransformer):
    """Assertions become calls that record what they find, so that none hides those after it."""

    def visit_Assert(self, node: ast.Assert) -> ast.Expr:
        if node.msg is None:
            raise ClaimError(f"a claim needs a sentence: {ast.unparse(node)}, '...'")
        parts = [ast.Lambda(_NO_ARGUMENTS, part) for part in (node.test, node.msg)]
        return ast.Expr(ast.Call(ast.Name("__claim__", ast.Load()), parts, []))


_NO_ARGUMENTS = ast.arguments([], [], None, [], [], None, [])
RECORD = f"""\
def __claim__(test, sentence):
    from IPython.display import display

    try:
        found = {{"verdict": "HOLDS" if test() else "FALLS", "reason": ""}}
    except Exception as error:
        found = {{"verdict": "FAILS", "reason": f"{{type(error).__name__}}: {{error}}"}}
    display({{{CLAIM!r}: found | {{"sentence": sentence()}}}}, raw=True)
"""


def statements(code: str) -> list[str]:
    r"""Return each statement of a claim's cell, with assertions that record what they find.

    Raises
    ------
    ClaimError
        If an assertion has no sentence.

    Examples
    --------
    >>> statements("a = 1\nassert a < 2, 'It is small.'")
    ['a = 1', "__claim__(lambda: a < 2, lambda: 'It is small.')"]
    """
    return [ast.unparse(_Recorded().visit(node)) for node in ast.parse(code).body]


def separated(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook in which each statement of a claim's cell is a cell."""
    separate = [new_code_cell(RECORD)]
    for cell in notebook.cells:
        separate += map(new_code_cell, statements(cell.source)) if is_claim(cell) else [cell]
    notebook.cells = separate
    return notebook


def examine(path: Path, *, stress: bool) -> Report:
    """Return what became of each claim of a chapter, as in the book or under stress."""
    notebook = separated(cells.read(path))
    folder = cells.BUILD / "stress" / path.stem if stress else RESULTS / path.stem
    with TemporaryDirectory() as temporary:
        log = Path(temporary, "runs.jsonl")
        variables = dict(zip(kept_results.VARIABLES, (str(folder), str(log)), strict=True))
        variables["REGLIB_STRESS"] = "1" if stress else ""
        cells.execute(notebook, variables, allow_errors=True)
        runs = kept_results.read_log(log)
    fixed = {run["experiment"] for run in runs if not run["has a length"]}
    examined = [found for cell in notebook.cells for found in verdicts(cell)]
    return Report(examined, sorted(fixed))


def verdicts(cell: NotebookNode) -> Iterator[Examined]:
    """Yield what became of the claims in a cell, and whether it failed."""
    may_fail = "raises-exception" in cell.metadata.get("tags", [])
    for output in cell.get("outputs", []):
        if output.output_type == "error" and not may_fail:
            first = cell.source.strip().splitlines()[0]
            reason = f"{output.ename}: {output.evalue}"
            yield Examined(f"the cell {first!r}", Verdict.FAILS, reason)
        elif claim := output.get("data", {}).get(CLAIM):
            yield Examined(claim["sentence"], Verdict[claim["verdict"]], claim["reason"])


def table(name: str, book: Report, stress: Report) -> str:
    """Return a table: claim, in the book, under stress; and what stress could not lengthen."""
    before, after = _words(book), _words(stress)
    rows = [
        (sentence, before.get(sentence, "-"), after.get(sentence, "-"))
        for sentence in dict.fromkeys([*before, *after])
    ]
    header = (name, "in the book", "under stress")
    width = max([len(row[0]) for row in rows] + [len(name)])
    lines = [f"{a:{width}}  {b:11}  {c}" for a, b, c in [header, *rows]]
    for found in [*book.examined, *stress.examined]:
        if found.reason:
            lines.append(f"{found.sentence}: {found.reason}")
    if stress.not_lengthened:
        lines.append(f"no epochs or steps to multiply: {', '.join(stress.not_lengthened)}")
    return "\n".join(lines)


def _words(report: Report) -> dict[str, str]:
    """Return what became of each sentence; of one that is claimed twice, each time."""
    found: dict[str, str] = {}
    for one in report.examined:
        words = [found[one.sentence]] if one.sentence in found else []
        found[one.sentence] = ", ".join([*words, one.verdict.value])
    return found
