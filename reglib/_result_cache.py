"""Results of experiments on disk, found again unless something that they depend on has changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from reglib._content import content, digest

Rows = list[dict[str, float]]


class ResultCache:
    """Results on disk: a file of JSON lines for each experiment, with a line for each run.

    A line is written whole after each run, so that an interrupted experiment resumes. It ends with
    a hash of itself: what is damaged or was changed by hand is dropped, and its run repeated.

    Parameters
    ----------
    folder : Path
        Where the files lie.
    function : callable
        What is run. Its name, and a hash of all that it uses, name the file.

    Attributes
    ----------
    damaged : int
        How many lines were dropped.

    Raises
    ------
    TypeError, ValueError
        If the function uses something that cannot be looked into.
    """

    def __init__(self, folder: Path, function: Callable[..., Any]) -> None:
        name = "".join(c if c.isalnum() else "_" for c in getattr(function, "__name__", "function"))
        self.path = folder / f"{name.strip('_')}-{content(function)[:16]}.jsonl"
        self._known: dict[str, Rows] = {}
        self.damaged = 0
        if self.path.exists():
            text = self.path.read_text(encoding="utf-8", errors="replace")
            whole = read(text)
            self._known = {entry["key"]: entry["rows"] for entry in whole}
            self.damaged = len([line for line in text.split("\n") if line]) - len(whole)
            if self.damaged or not text.endswith("\n"):
                self.path.write_text("".join(map(_line, whole)), encoding="utf-8")

    @staticmethod
    def key(setting: Mapping[str, Any], seed: int) -> str:
        """Return a name for a run that other arguments do not have."""
        return content((setting, int(seed)))[:32]

    def get(self, setting: Mapping[str, Any], seed: int) -> Rows | None:
        """Return what a run gave, None if it is not there."""
        return self._known.get(self.key(setting, seed))

    def put(self, name: Any, setting: Mapping[str, Any], seed: int, rows: Rows) -> None:
        """Write what a run gave; the setting's name is for readers of the file."""
        entry = {"setting": str(name), "seed": seed, "key": self.key(setting, seed), "rows": rows}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(_line(entry))


def read(text: str) -> list[dict[str, Any]]:
    """Return the entries of a file's text that are as they were written."""
    return [entry for entry in map(_read, text.split("\n")) if entry is not None]


def _line(entry: Mapping[str, Any]) -> str:
    return json.dumps({**entry, "check": _check(entry)}, ensure_ascii=False) + "\n"


def _read(line: str) -> dict[str, Any] | None:
    """Return an entry without its hash; None if it is not as it was written."""
    try:
        entry = json.loads(line)
        check = entry.pop("check")
        return entry if check == _check(entry) else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _check(entry: Mapping[str, Any]) -> str:
    return digest([json.dumps(entry, sort_keys=True)])[:16]
