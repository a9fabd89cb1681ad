"""Count the lines of each room and name the files that are longer than a reader accepts."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: What people write; generated notebooks and locks are left out.
KINDS = {".py", ".md", ".css", ".js", ".j2", ".html", ".rst"}
LONG = 600


#: What all contracts share; the other modules of contracts, and their tests, belong to functions.
ENGINE = {
    *(
        "__init__",
        "__main__",
        "_answers",
        "_comparison",
        "_findings",
        "_messages",
        "_naming",
        "_python_errors",
    ),
    *("_shown", "_student_function", "_task", "checking", "normalize"),
}


def _is_of_a_contract(path: Path) -> bool:
    if path.parent == Path("reglib/exercises"):
        return path.stem not in ENGINE
    return path.parent == Path("tests/reglib/exercises") and path.stem.endswith("_contract")


def main() -> None:
    """Print the rooms, the largest first, and the long modules."""
    listing = ["git", "-C", str(ROOT), "ls-files"]
    names = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.split("\n")
    files = [Path(name) for name in names if Path(name).suffix in KINDS]
    lines = {
        path: len((ROOT / path).read_text(encoding="utf-8").splitlines())
        for path in files
        if (ROOT / path).exists()
    }
    rooms: Counter[str] = Counter()
    for path, count in lines.items():
        rooms["/".join(path.parts[:2][: len(path.parts) - 1]) or "."] += count
    for room, count in rooms.most_common():
        print(f"{count:7,}  {room}")
    print(f"{sum(rooms.values()):7,}  in all")
    contracts = [path for path in lines if _is_of_a_contract(path)]
    functions = sum(
        (ROOT / path).read_text(encoding="utf-8").count("Task(\n") for path in contracts
    )
    total = sum(lines[path] for path in contracts)
    print(f"{total / functions:7.0f}  for each of the {functions} functions that students write")
    long = {path: count for path, count in lines.items() if path.suffix == ".py" and count > LONG}
    for path, count in sorted(long.items(), key=lambda item: -item[1]):
        print(f"{count:7,}  {path} (over {LONG})")


if __name__ == "__main__":
    main()
