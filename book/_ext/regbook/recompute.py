"""``make experiments``: every result of the book computed anew, compared, and written.

On one machine results are the same to the last bit. Another processor or another build of NumPy
adds in another order, and long training magnifies what that changes in the last bits: a single run
may come out differently. What must not is what the book says. So for each setting the mean over
the seeds may move by half its standard error, or by a millionth of itself; what moves more is told,
and the command fails after it has written everything.
"""

from __future__ import annotations

import math
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from regbook import cells
from reglib._result_cache import read as read_entries

RESULTS = cells.BOOK / "results"
#: Of its standard error, and of itself: how far a mean over seeds may move.
ERRORS, SHARE = 0.5, 1e-6

Entries = dict[str, dict[str, Any]]


def main(arguments: Sequence[str]) -> int:
    """Compute the results of all chapters, or of those that are named; return the exit status."""
    try:
        paths = cells.chapters(arguments)
    except ValueError as error:
        print(f"make experiments: {error}", file=sys.stderr)
        return 2
    moved = False
    for path in paths:
        print(f"{path.stem}: computing", flush=True)
        with TemporaryDirectory() as temporary:
            fresh = Path(temporary, "results")
            cells.execute(cells.read(path), {"REGLIB_CACHE": str(fresh)})
            kept = RESULTS / path.stem
            for line, beyond in compare(kept, fresh):
                moved |= beyond
                print(f"  {line}", flush=True)
            replace(kept, fresh)
    # What was built shows the results as they were.
    for folder in (".jupyter_cache", ".doctrees"):
        shutil.rmtree(cells.BUILD / folder, ignore_errors=True)
    if moved:
        print("Some means have moved by more than another machine explains: read what they say.")
    return int(moved)


def replace(kept: Path, fresh: Path) -> None:
    """Put the fresh files in the place of those kept."""
    if kept.exists():
        shutil.rmtree(kept)
    if fresh.exists():
        shutil.copytree(fresh, kept)


def compare(kept: Path, fresh: Path) -> Iterator[tuple[str, bool]]:
    """Yield in words what has become of each file, and whether a mean moved too far."""
    old, new = ({path.stem: path for path in folder.glob("*.jsonl")} for folder in (kept, fresh))
    for name in sorted({*old, *new}):
        if name not in new:
            yield f"{name}: nothing uses it any more, removed", False
        elif name not in old:
            yield f"{name}: new", False
        else:
            yield from _compare_file(name, _entries(old[name]), _entries(new[name]))


def _entries(path: Path) -> Entries:
    entries = read_entries(path.read_text(encoding="utf-8", errors="replace"))
    return {entry["key"]: entry for entry in entries}


def _compare_file(name: str, old: Entries, new: Entries) -> Iterator[tuple[str, bool]]:
    common = [key for key in new if key in old]
    changed = [key for key in common if not _equal(old[key]["rows"], new[key]["rows"])]
    words = [f"{len(common) - len(changed)} runs the same"]
    words += [f"{len(changed)} other"] * bool(changed)
    words += [f"{len(new) - len(common)} new"] * (len(new) > len(common))
    words += [f"{len(old) - len(common)} removed"] * (len(old) > len(common))
    yield f"{name}: {', '.join(words)}", False
    settings = defaultdict(list)
    for key in common:
        settings[new[key]["setting"]].append(key)
    for setting, keys in settings.items():
        if set(keys) & set(changed):
            befores, afters = _values(old, keys), _values(new, keys)
            if befores.keys() != afters.keys():
                yield f"  {setting}: other metrics, or another number of rows", True
                continue
            for metric, before in befores.items():
                if problem := moved(before, afters[metric]):
                    yield f"  {setting}, {metric}: {problem}", True


def _equal(one: list[dict[str, float]], other: list[dict[str, float]]) -> bool:
    return repr(one) == repr(other)


def _values(entries: Entries, keys: Sequence[str]) -> dict[str, list[float]]:
    """Return the values over the seeds of each metric in each row."""
    found = defaultdict(list)
    for key in keys:
        for number, row in enumerate(entries[key]["rows"]):
            for metric, value in row.items():
                found[f"{metric} in row {number}" if number else metric].append(value)
    return found


def moved(before: Sequence[float], after: Sequence[float]) -> str:
    """Return in words how a mean over seeds has moved if it did so too far, else nothing.

    Examples
    --------
    >>> moved([1.0, 3.0], [1.1, 3.1])  # its standard error is 1
    ''
    >>> moved([1.0, 3.0], [2.0, 4.0])
    'its mean went from 2 to 3, with a standard error of 1'
    """
    if len(before) != len(after) or np.any(np.isfinite(before) != np.isfinite(after)):
        return "other seeds are finite"
    one, other = np.asarray(before), np.asarray(after)
    finite = np.isfinite(one)
    if not finite.any():
        return ""
    one, other = one[finite], other[finite]
    error = one.std(ddof=1) / math.sqrt(len(one)) if len(one) > 1 else 0.0
    mean, now = one.mean(), other.mean()
    if abs(now - mean) <= max(ERRORS * error, SHARE * abs(mean)):
        return ""
    return f"its mean went from {mean:.4g} to {now:.4g}, with a standard error of {error:.2g}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
