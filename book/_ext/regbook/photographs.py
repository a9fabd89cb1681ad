"""Photographs within drawings are files of their own, fetched when a reader comes near them.

matplotlib puts them into a drawing as data, once for a wide page and once for a phone. An image of
SVG cannot wait until it is seen; one of HTML can, and a drawing may hold it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

PLACE = "_static/photographs"
PHOTOGRAPH = re.compile(r'<image ([^>]*?)href="data:image/webp;base64,([^"]+)"[^>]*?/>')


def apart(html: str, address: str) -> tuple[str, dict[str, bytes]]:
    """Return a page whose photographs are files below ``address``, and the files by their names.

    Examples
    --------
    >>> html, files = apart('<image x="1" href="data:image/webp;base64,AAAA" />', "p")
    >>> html.partition("<img")[0], len(files)
    ('<foreignObject x="1">', 1)
    """
    files = {}

    def moved(found: re.Match[str]) -> str:
        content = base64.b64decode(found[2])
        name = f"{hashlib.sha256(content).hexdigest()[:16]}.webp"
        files[name] = content
        # The drawing around it has the name that a screen reader says.
        image = f'<img class="photograph dark-light" src="{address}/{name}" alt="" loading="lazy">'
        return f"<foreignObject {found[1].strip()}>{image}</foreignObject>"

    return PHOTOGRAPH.sub(moved, html), files


def lighten(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Write a page's photographs beside the pages."""
    if app.builder.format != "html" or "data:image/webp" not in context.get("body", ""):
        return
    context["body"], files = apart(context["body"], context["pathto"](PLACE, 1))
    target = Path(app.outdir, PLACE)
    target.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        target.joinpath(name).write_bytes(content)


def setup(app: Sphinx) -> None:
    """Register the files."""
    app.connect("html-page-context", lighten)
