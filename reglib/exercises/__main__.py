"""``python -m reglib.exercises new NUMBER NAME``: the skeleton of a technique, ready to run.

It is written into the course's folder, which is where the command must be called: a reference
function, its contract, a notebook with the answer, and a chapter. All four work at once, on an
example that is then replaced piece by piece; nothing has to be registered anywhere.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from reglib.exercises.normalize import normalize

_SKELETON = Path(__file__).parent / "skeleton"


def skeleton(
    number: int, name: str, function: str | None = None, like: str | None = None
) -> dict[Path, str]:
    """Return the texts of a new technique's files by their places in the course's folder.

    Parameters
    ----------
    number : int
        The chapter's number, 0 to 99.
    name : str
        What it is about: small letters, digits and hyphens, such as ``soft-targets``.
    function : str, optional
        The first function that students write; by default the name with ``_penalty``.
    like : str, optional
        The text of another notebook of the course, for the cells that are the same in all.

    Raises
    ------
    ValueError
        If an argument is unfit.

    Examples
    --------
    >>> [path.as_posix() for path in skeleton(9, "mixing")][:2]
    ['reglib/textbook/mixing.py', 'reglib/exercises/mixing.py']
    """
    if not 0 <= number <= 99:
        raise ValueError(f"number must be in 0 to 99, got {number}")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ValueError(
            f"name must be of small letters, digits and hyphens, such as soft-targets, got {name!r}"
        )
    module, page = name.replace("-", "_"), f"{number:02}-{name}"
    function = function or f"{module}_penalty"
    if not re.fullmatch(r"[A-Za-z]\w*", function):
        raise ValueError(f"function must be a name of Python, got {function!r}")
    words = {
        "NUMBER": str(number),
        "TITLE": name.replace("-", " ").capitalize(),
        "LABEL": name,
        "MODULE": module,
        "FUNCTION": function,
        "CONSTANT": function.upper(),
        "PAGE": page,
    }
    places = {
        f"reglib/textbook/{module}.py": "reference.py.txt",
        f"reglib/exercises/{module}.py": "contract.py.txt",
        f"solutions/{page}/{page}.ipynb": "notebook.ipynb",
        f"book/chapters/{page}.md": "chapter.md",
    }
    texts = {}
    for place, source in places.items():
        text = (_SKELETON / source).read_text(encoding="utf-8")
        text = re.sub("|".join(words), lambda found: words[found[0]], text)
        texts[Path(place)] = _filled(text, like) if place.endswith(".ipynb") else text
    return texts


def _filled(text: str, like: str | None) -> str:
    """Return a notebook, each cell without text with the text of its namesake elsewhere."""
    notebook, other = json.loads(text), json.loads(like or '{"cells": []}')
    namesakes = {cell["id"]: cell["source"] for cell in other["cells"]}
    for cell in notebook["cells"]:
        cell["source"] = cell["source"] or namesakes.get(cell["id"], [])
    return normalize(json.dumps(notebook))


def write_skeleton(folder: Path, texts: dict[Path, str]) -> None:
    """Write the files below a folder, all of them or none.

    Raises
    ------
    FileNotFoundError
        If the folder is no course.
    FileExistsError
        If one of the files is there already.
    """
    for room in ("solutions", "book/chapters", "reglib/exercises"):
        if not (folder / room).is_dir():
            raise FileNotFoundError(f"{folder} is not the course's folder: it has no {room}/")
    there = [path.as_posix() for path in texts if (folder / path).exists()]
    if there:
        raise FileExistsError(f"already there, and left alone: {', '.join(there)}")
    for path, text in texts.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a skeleton; return 1 with a sentence if that cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m reglib.exercises", description="Tools for authors of exercises."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    new = commands.add_parser(
        "new", help="write the skeleton of a technique: reference, contract, notebook, chapter"
    )
    new.add_argument("number", type=int, help="the chapter's number, such as 09")
    new.add_argument("name", help="what it is about, such as mixing or soft-targets")
    new.add_argument("--function", help="the first function that students write")
    options = parser.parse_args(arguments)
    try:
        course = Path.cwd()
        others = sorted(course.glob("solutions/*/*.ipynb"))
        like = others[-1].read_text(encoding="utf-8") if others else None
        texts = skeleton(options.number, options.name, options.function, like)
        write_skeleton(course, texts)
    except (OSError, ValueError) as error:
        print(f"python -m reglib.exercises: {error}", file=sys.stderr)
        return 1
    print("Written:", *(f"  {path.as_posix()}" for path in texts), sep="\n")
    print("Next: `make exercises book`; CONTRIBUTING.md says what to replace.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
