"""Light and dark hold where no script has chosen between them, and paper is always light.

The theme's script writes ``light`` or ``dark`` into the page's ``data-theme``; without it the
attribute stays ``auto``, for which no style sheet has a rule. When the build has finished, every
rule for one of the two also gets the reader's system for its condition, and those for light the
printer.
"""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

from sphinx.application import Sphinx

DONE = "/* light and dark without a script */\n"
MODE = re.compile(r"""\[data-theme=["']?(light|dark)["']?\]""")
RULE = re.compile(r"([^{}]*\[data-theme=[^{}]*)\{([^{}]*)\}")
COMMA = re.compile(r",(?![^()]*\))")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def without_script(css: str) -> str:
    """Return a style sheet in which light and dark need no script, and paper is light.

    Examples
    --------
    >>> print(without_script("html[data-theme=dark] p{color:white}"))
    @media screen{html[data-theme=dark] p{color:white}}
    @media screen and (prefers-color-scheme:dark){html[data-theme=auto] p{color:white}}
    >>> print(without_script("html[data-theme=light] p{color:black}"))
    html[data-theme=light] p{color:black}
    @media print{html[data-theme] p{color:black}}
    @media (prefers-color-scheme:light){html[data-theme=auto] p{color:black}}
    """
    return RULE.sub(lambda rule: _in_all_modes(rule[1], rule[2]), css)


def _in_all_modes(selectors: str, declarations: str) -> str:
    rules = []
    for mode, some in groupby(COMMA.split(COMMENT.sub("", selectors).strip()), key=_mode):
        chosen = ",".join(some)
        automatic = MODE.sub("[data-theme=auto]", chosen)
        printed = MODE.sub("[data-theme]", chosen)
        body = f"{{{declarations}}}"
        if mode == "light":
            rules += [
                f"{chosen}{body}",
                f"@media print{{{printed}{body}}}",
                f"@media (prefers-color-scheme:light){{{automatic}{body}}}",
            ]
        elif mode == "dark":
            rules += [
                f"@media screen{{{chosen}{body}}}",
                f"@media screen and (prefers-color-scheme:dark){{{automatic}{body}}}",
            ]
        else:
            rules.append(f"{chosen}{body}")
    return "\n".join(rules)


def _mode(selector: str) -> str:
    found = MODE.search(selector)
    return found[1] if found else ""


def rewrite(app: Sphinx, exception: Exception | None) -> None:
    """Rewrite the style sheets of the built book."""
    if exception is not None or app.builder.format != "html":
        return
    for path in Path(app.outdir, "_static").rglob("*.css"):
        css = path.read_text(encoding="utf-8")
        if MODE.search(css) and not css.startswith(DONE):
            path.write_text(DONE + without_script(css), encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Rewrite what the theme, its highlighting and this book have brought."""
    # The theme writes its highlighting at 500.
    app.connect("build-finished", rewrite, priority=900)
