"""Keep the notebooks of ``solutions/`` thin and alike, so that a change can be read as a diff.

``python -m reglib.exercises.normalize solutions`` rewrites them; with ``--check`` it only lists
those that it would change and returns 1. A normalized notebook has no outputs and no execution
counts, its metadata is what the course needs and nothing else, names are sorted, and the id of a
cell that nbgrader knows is its ``grade_id``. The cell `install` has the same source in each.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reglib._arguments import Text, arguments
from reglib.exercises._install_cell import install_cell

_KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


@arguments(text=Text())
def normalize(text: str) -> str:
    """Return a notebook's text in normal form.

    Raises
    ------
    ValueError
        If the text is no notebook of format 4, or two cells have one id.

    Examples
    --------
    >>> normalize('{"cells": [], "nbformat": 4, "nbformat_minor": 4}').splitlines()[1]
    ' "cells": [],'
    """
    try:
        notebook = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"text must be a notebook: {error}, got {text!r:.80}") from error
    if (
        not isinstance(notebook, dict)
        or notebook.get("nbformat") != 4
        or not isinstance(notebook.get("cells"), list)
    ):
        raise ValueError(f"text must be a notebook of format 4, got {text!r:.80}")
    cells = [_cell(cell, number) for number, cell in enumerate(notebook["cells"])]
    ids = [cell["id"] for cell in cells]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ValueError(f"cell ids must be unique, got {', '.join(twice)} twice")
    thin = {"cells": cells, "metadata": _KERNEL, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(thin, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _cell(cell: dict[str, Any], number: int) -> dict[str, Any]:
    source = cell["source"]
    source = source if isinstance(source, str) else "".join(source)
    grading = cell.get("metadata", {}).get("nbgrader")
    name = grading["grade_id"] if grading else cell.get("id", f"cell-{number}")
    if name == "install":
        source = install_cell()
    thin: dict[str, Any] = {
        "cell_type": cell["cell_type"],
        "id": name,
        "metadata": {"nbgrader": grading} if grading else {},
        "source": source.strip("\n").splitlines(keepends=True),
    }
    if cell["cell_type"] == "code":
        thin |= {"execution_count": None, "outputs": []}
        # So marked, a cell that fails does not keep JupyterLab from running those below it.
        if "raises-exception" in cell.get("metadata", {}).get("tags", ()):
            thin["metadata"]["tags"] = ["raises-exception"]
    return thin


def main(arguments: Sequence[str] | None = None) -> int:
    """Normalize notebooks below the given folders; return 1 if ``--check`` found work."""
    parser = argparse.ArgumentParser(
        prog="python -m reglib.exercises.normalize", description="Normalize notebooks."
    )
    parser.add_argument("folders", nargs="+", type=Path, help="folders or notebooks")
    parser.add_argument("--check", action="store_true", help="change nothing, only report")
    options = parser.parse_args(arguments)
    changed = False
    for folder in options.folders:
        for path in [folder] if folder.is_file() else sorted(folder.rglob("*.ipynb")):
            before = path.read_text(encoding="utf-8")
            after = normalize(before)
            if before == after:
                continue
            changed = True
            print(f"{path}: {'is not normalized' if options.check else 'normalized'}")
            if not options.check:
                path.write_text(after, encoding="utf-8")
    return int(changed and options.check)


if __name__ == "__main__":
    sys.exit(main())
