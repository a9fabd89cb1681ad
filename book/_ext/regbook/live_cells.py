"""Cells of chapters that a reader can change and run in the page, and why others cannot.

A cell runs in the page if Python there has what it uses: NumPy, matplotlib and reglib, but not
pandas. What is defined with pandas is missed by the cells that use it. The script ``cells.js`` puts
buttons to the cells; it finds their sources in a file for each page.
"""

from __future__ import annotations

import ast
import json
import re
import symtable
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from regbook.cells import read
from regbook.live import folder

#: Where the cells of pages lie on the site: beside the runtime, whose version they do not share.
PLACE = "_static/cells"
SCRIPTS = ("elements.js", "cells.js")
#: What Python in the page can import beside its standard library.
PRESENT = {"numpy", "matplotlib", "mpl_toolkits", "PIL", "reglib", "IPython"}
#: What experiments can do without pandas.
WITHOUT_PANDAS = {"state", "confidence_interval"}
PANDAS = "pandas"
#: Methods that add to what they belong to.
ADDS = {"add", "append", "extend", "insert", "update"}
#: The tag of a cell that computes longer than a reader of the page would wait.
LONG_TAG = "too-long-for-the-page"
LONG = "time"
#: The tag of cells that hold the text to its numbers; the page has no use for them.
CLAIM_TAG = "claim"


@dataclass(frozen=True)
class LiveCell:
    """A cell of a chapter: its source, what it lacks in the page (nothing, if it runs), what runs.

    The last one is for the cells below: the statements that need nothing that is not there.
    """

    source: str
    tags: tuple[str, ...]
    lacks: str
    runs: str

    @property
    def is_shown(self) -> bool:
        """Whether readers see it."""
        return "remove-cell" not in self.tags


def missing_imports(tree: ast.AST) -> dict[str, str]:
    """Return the names that imports of absent packages bind, each with the package.

    Examples
    --------
    >>> missing_imports(ast.parse("import numpy as np, pandas as pd"))
    {'pd': 'pandas'}
    """
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in node.names:
                module = node.module if isinstance(node, ast.ImportFrom) else name.name
                package = (module or "").partition(".")[0]
                if package not in PRESENT and package not in sys.stdlib_module_names:
                    found[name.asname or name.name.partition(".")[0]] = package
    return found


def globals_of(table: symtable.SymbolTable) -> Iterator[tuple[str, bool]]:
    """Yield the global names of a cell and of the functions in it, and whether they are bound."""
    outermost = table.get_type() == "module"
    for symbol in table.get_symbols():
        if outermost or symbol.is_global():
            name = symbol.get_name()
            if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace():
                yield name, True
            if symbol.is_referenced():
                yield name, False
    for inner in table.get_children():
        yield from globals_of(inner)


def uses_pandas_inside(tree: ast.AST) -> bool:
    """Return whether a cell calls what computes with pandas in reglib."""
    return any(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "experiments"
        and node.attr not in WITHOUT_PANDAS
        for node in ast.walk(tree)
    )


def filled(tree: ast.AST) -> set[str]:
    """Return the names of what a statement puts entries into.

    Examples
    --------
    >>> sorted(filled(ast.parse("for k in t: found[k] = 1; rows.append(k)")))
    ['found', 'rows']
    """
    return {
        node.value.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript | ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (isinstance(node.ctx, ast.Store) or getattr(node, "attr", "") in ADDS)
    }


def missed(statement: str, lacking: dict[str, str]) -> tuple[str, set[str]]:
    """Return what a statement uses that the page lacks, if anything, and the names it binds."""
    tree = ast.parse(statement)
    names = list(globals_of(symtable.symtable(statement, "<cell>", "exec")))
    defined = {name for name, is_bound in names if is_bound}
    if uses_pandas_inside(tree):
        return PANDAS, defined
    # A loop reads what it binds; an assignment reads what was there before.
    own = set() if isinstance(tree.body[0], ast.Assign | ast.AugAssign) else defined
    read_from = lacking.keys() - own
    used = [lacking[name] for name, is_bound in names if not is_bound and name in read_from]
    return next(iter(used), ""), defined


def live_cells(cells: Iterable[tuple[str, Sequence[str]]]) -> list[LiveCell]:
    r"""Return the cells of a page, given as sources and tags, with what each lacks in the page.

    Examples
    --------
    >>> sources = ["import pandas as pd", "n = 1\nt = pd.Series([n])", "len(t)", "n + 1"]
    >>> [cell.lacks for cell in live_cells((source, ()) for source in sources)]
    ['', 'pandas', 'pandas', '']
    """
    lacking: dict[str, str] = {}
    found = []
    for source, tags in cells:
        if CLAIM_TAG in tags:
            found.append(LiveCell(source, tuple(tags), "", ""))
            continue
        lacks, runs = "", []
        for node in ast.parse(source).body:
            statement = ast.unparse(node)
            absent = missing_imports(node)
            here, defined = missed(statement, lacking)
            here = LONG if LONG_TAG in tags else here
            if isinstance(node, ast.Expr):
                here = here or lacks  # what shows a result has nothing to show without it
            for name in defined:
                lacking.pop(name, None)
            if here:
                lacking |= dict.fromkeys(defined | filled(node), here)
            lacking |= absent
            lacks = lacks or here
            if not here and not absent:
                runs.append(statement)
        found.append(LiveCell(source, tuple(tags), lacks, "\n".join(runs)))
    return found


def of_page(path: Path) -> list[LiveCell]:
    """Return the cells of a chapter's file."""
    cells = (cell for cell in read(path).cells if cell.cell_type == "code")
    return live_cells((cell.source, cell.metadata.get("tags", ())) for cell in cells)


def plan(cells: Sequence[LiveCell]) -> dict[str, Any]:
    """Return what the page's script must know: the cells, what runs of each, what is absent."""
    imports = [missing_imports(ast.parse(cell.source)) for cell in cells]
    return {
        "absent": sorted({package for found in imports for package in found.values()}),
        "cells": [{"source": cell.source, "runs": cell.runs} for cell in cells],
    }


def containers(doctree: nodes.document) -> Iterator[nodes.container]:
    """Yield the cells that a page shows."""
    for node in doctree.findall(nodes.container):
        if "cell" in node["classes"] and node.get("nb_element") == "cell_code":
            yield node


def mark(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Give each shown cell its number, or what it lacks, as a class; write the page's plan."""
    if not app.config.live_python or app.builder.format != "html":
        return
    if "kernelspec" not in app.env.metadata.get(docname, {}):
        return
    cells = of_page(Path(app.env.doc2path(docname)))
    shown = [(number, cell) for number, cell in enumerate(cells) if cell.is_shown]
    for node, (number, cell) in zip(containers(doctree), shown, strict=True):
        node["classes"].append(f"lacks-{cell.lacks}" if cell.lacks else f"live-{number}")
    target = Path(app.outdir, PLACE, f"{docname}.json")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(plan(cells), ensure_ascii=False), encoding="utf-8")


def add_scripts(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Let pages with live cells load the two scripts that wait for a click."""
    if doctree is None or not app.config.live_python:
        return
    if re.search(r'class="[^"]*\blive-\d+\b', context.get("body", "")):
        for name in SCRIPTS:
            app.add_js_file(f"{folder().removeprefix('_static/')}/{name}", loading_method="defer")


def setup(app: Sphinx) -> None:
    """Register the numbers and the scripts."""
    app.connect("doctree-resolved", mark)
    app.connect("html-page-context", add_scripts)
