"""Notebooks as plain JSON: read whatever is handed over, write what nbformat would."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

from warmfork import bounded

__all__ = [
    *("UnreadableError", "code_of_tests", "dump_notebook", "load", "role_of", "tag_of", "text_of"),
]

_FORMAT = 4
#: Values in a notebook of an older format, which is checked against its schema, slowly.
_MAX_OLD_PARTS = 100_000


class UnreadableError(ValueError):
    """The bytes are no notebook."""


def text_of(value: Any) -> str:
    """Return the source of a cell, which may be a list of lines."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(item for item in value if isinstance(item, str))
    return ""


def tag_of(cell: dict[str, Any]) -> dict[str, Any]:
    """Return nbgrader's metadata of a cell, empty if it has none."""
    metadata = cell.get("metadata")
    tag = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return tag if isinstance(tag, dict) else {}


def role_of(cell: dict[str, Any]) -> str:
    """Return what nbgrader sees in a cell of the instructor."""
    tag = tag_of(cell)
    if tag.get("grade_id") is None:
        return "plain"
    if tag.get("task"):
        return "task"
    if tag.get("grade") and tag.get("solution"):
        return "manual"
    if tag.get("grade"):
        return "test"
    return "solution" if tag.get("solution") else "locked"


@functools.lru_cache(maxsize=64)
def code_of_tests(source: bytes) -> str:
    """Return the code of the instructor's notebook that is not to be written by students."""
    cells = [cell for cell in load(source)["cells"] if cell.get("cell_type") == "code"]
    return "\n".join(
        text_of(cell.get("source")) for cell in cells if role_of(cell) not in ("solution", "manual")
    )


def load(data: bytes) -> dict[str, Any]:
    """Return a notebook of the current format with a list of cells, whatever these are.

    Raises
    ------
    UnreadableError
        If the bytes are no such thing; the message says why.
    """
    if bounded.parts(data) > bounded.MOST_PARTS:
        raise UnreadableError("it has millions of parts")
    try:
        notebook = bounded.loads(data)
    except UnicodeDecodeError:
        raise UnreadableError("it is not text in UTF-8") from None
    except ValueError:
        raise UnreadableError("it is not JSON, perhaps cut off") from None
    if not isinstance(notebook, dict):
        raise UnreadableError("it is JSON but no notebook")
    if notebook.get("nbformat") != _FORMAT:
        if bounded.parts(data, _MAX_OLD_PARTS) > _MAX_OLD_PARTS:
            raise UnreadableError("it has an old notebook format and too many parts")
        notebook = _upgrade(notebook)
    if not isinstance(notebook.get("cells"), list):
        raise UnreadableError("it is JSON but has no list of cells")
    return notebook


def _upgrade(notebook: dict[str, Any]) -> dict[str, Any]:
    import nbformat

    try:
        text = json.dumps(notebook)
        # A heading becomes as many signs as its level says.
        json.loads(text, object_hook=_demand_level)
        old = nbformat.reads(text, as_version=_FORMAT)
        return json.loads(json.dumps(old))
    except Exception as error:
        told = f"it has a notebook format that cannot be read: {str(error)[:200]}"
        raise UnreadableError(told) from None


def _demand_level(part: dict[str, Any]) -> None:
    level = part.get("level", 1)
    if part.get("cell_type") == "heading" and isinstance(level, int) and level > 6:
        raise ValueError(f"level must be at most 6, got {str(level)[:20]}")


def dump_notebook(notebook: dict[str, Any]) -> bytes:
    """Return a notebook as nbformat writes it."""
    cells = []
    for cell in notebook["cells"]:
        cell = {**cell, "source": _split(cell["source"])}
        if cell["cell_type"] == "code":
            cell["outputs"] = [_split_output(output) for output in cell["outputs"]]
        cells.append(cell)
    text = json.dumps(
        {**notebook, "cells": cells},
        ensure_ascii=False,
        indent=1,
        sort_keys=True,
        separators=(",", ": "),
    )
    return (text + "\n").encode("utf-8", "replace")


def _split(text: str) -> list[str]:
    return text.splitlines(True)


def _split_output(output: dict[str, Any]) -> dict[str, Any]:
    if output["output_type"] == "stream":
        return {**output, "text": _split(output["text"])}
    if "data" in output:
        return {**output, "data": dict(_split_data(output["data"]))}
    return output


def _split_data(data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for mime, value in data.items():
        lines = mime.startswith("text/") or mime in ("application/javascript", "image/svg+xml")
        yield mime, _split(value) if isinstance(value, str) and lines else value
