"""Say what came out, under names that the text around the experiment uses."""

from __future__ import annotations

import html
import re

#: What the book looks for among a cell's outputs: names and texts.
RESULTS = "application/vnd.reglib.results+json"
#: MyST-NB takes an output with such metadata from the page and keeps it for the text.
PREFIX = "application/"

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_NOT_FINITE = re.compile(r"(?<![a-z])(nan|inf(inity)?|none|nat)(?![a-z])|∞", re.IGNORECASE)


def state(**results: str) -> None:
    """Show results under names, for the text of a chapter to insert.

    In the book nothing is to be seen where it is called, and the role ``result`` with one of the
    names becomes the text given here; in a notebook a table shows both.

    Parameters
    ----------
    **results : str
        Texts as a reader is to see them, ``gain=f"{difference:.3f}"``; the names, of lower-case
        letters, digits and underscores, are unique on the page.

    Raises
    ------
    TypeError, ValueError
        If a text is no string, is empty or says that a number is not finite, or a name is unfit.

    Examples
    --------
    >>> state(gain=0.5)
    Traceback (most recent call last):
    ...
    TypeError: gain must be a text as a reader is to see it, got 0.5; format it: f"{gain:.3f}"
    """
    if not results:
        raise ValueError("state needs a result, as in state(gain='0.5'), got none")
    for name, text in results.items():
        _check(name, text)
    try:
        from IPython.display import display
    except ModuleNotFoundError:  # a plain Python without notebooks
        print(_plain(results))
        return
    rows = "".join(f"<tr><td>{n}</td><td>{html.escape(t)}</td></tr>" for n, t in results.items())
    table = {"text/html": f"<table>{rows}</table>", "text/plain": _plain(results)}
    kept = {"scrapbook": {"name": " ".join(results), "mime_prefix": PREFIX}}
    display({RESULTS: results, **table}, raw=True, metadata=kept)


def _check(name: str, text: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"a result's name must be of lower-case letters, digits and _, got {name!r}"
        )
    if not isinstance(text, str):
        example = f'format it: f"{{{name}:.3f}}"'
        raise TypeError(f"{name} must be a text as a reader is to see it, got {text!r}; {example}")
    if not text.strip():
        raise ValueError(f"{name} must say something, got {text!r}")
    if _NOT_FINITE.search(text):
        raise ValueError(f"{name} must be finite, got {text!r}")


def _plain(results: dict[str, str]) -> str:
    return "\n".join(f"{name}: {text}" for name, text in results.items())
