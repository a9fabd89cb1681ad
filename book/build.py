"""Build the book: `jupyter-book build` with a head start.

Arguments are those of `jupyter-book build`, after the folder. While Sphinx is being imported,
another process already imports what the chapters will need. ``BOOK_KERNELS=plain`` in the
environment leaves out whatever this project adds for speed.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_ext"))

from regbook.warm import choose_kernels, plain  # noqa: E402


def build_folder(arguments: list[str]) -> Path:
    """Return where Jupyter Book will build: beside the book, or where the arguments say.

    Examples
    --------
    >>> build_folder(["-W", "--path-output=there"]).as_posix()
    'there/_build'
    """
    for option, value in zip(arguments, [*arguments, ""][1:], strict=True):
        if option == "--path-output":
            return Path(value, "_build")
        if option.startswith("--path-output="):
            return Path(option.partition("=")[2], "_build")
    return HERE.parent / "_build"


def main(arguments: list[str]) -> None:
    """Begin the imports of the chapters, then let Jupyter Book work."""
    if not plain():
        choose_kernels(build_folder(arguments) / ".jupyter_cache")
        # jsonschema uses it to check addresses of a kind that no notebook has. It takes a second.
        sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

    from jupyter_book.cli.main import main as jupyter_book

    jupyter_book(["build", str(HERE), *arguments], prog_name="jupyter-book")


if __name__ == "__main__":
    main(sys.argv[1:])
