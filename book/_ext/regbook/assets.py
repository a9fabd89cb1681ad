"""A page asks for one style sheet and one script, which hold what pages of this book use.

The theme and a dozen extensions bring files for every page that there could be. Before a page is
written, those that all pages share give way to two; when the build has finished, these are made:
style sheets merged without rules that no page can use, the icons of these rules in a font of their
own, scripts one after another and run when the page stands. What one page alone asks for stays.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from io import BytesIO
from logging import WARNING, getLogger
from pathlib import Path
from typing import Any

import tinycss2
from fontTools.subset import Subsetter
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx
from sphinx.builders.html._assets import _CascadingStyleSheet, _JavaScript
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
STATIC = "_static"
STYLE, SCRIPT = f"{STATIC}/site.css", f"{STATIC}/site.js"
#: What the theme's layout asks for in lines of its own, which our webpack-macros.html leaves out.
THEME_STYLES = ("styles/theme.css", "styles/pydata-sphinx-theme.css")
THEME_SCRIPTS = ("scripts/pydata-sphinx-theme.js",)
#: The theme tells each page its name, for a menu of versions that this book has not.
NAME_OF_PAGE = "DOCUMENTATION_OPTIONS."
ICONS = "vendor/fontawesome/webfonts/fa-solid-900.ttf"

#: What puts all pages on paper gives them classes that no page has.
PAPER = Path(__file__).resolve().parents[2] / "pdf.py"
LARGEST = 1_000_000  # bytes of a script that may name classes: the others are Python's runtime

MARKED = re.compile(r"""\b(?:class|id)=(?:"([^"]*)"|'([^']*)')""")
TAG = re.compile(r"<([a-zA-Z][\w-]*)")
WORD = re.compile(r"[A-Za-z_][\w-]*")
LITERAL = re.compile(r""""([^"\n]*)"|'([^'\n]*)'|`([^`]*)`""")
INLINE_SCRIPT = re.compile(r"<script[^>]*>(.+?)</script>", re.DOTALL)
VERSIONED = re.compile(rf"({STATIC}/site\.(?:css|js))(?:\?v=\w*)?")
#: Where the theme asks every block of code for its width, which lays out the whole page; book.js
#: asks as blocks come into sight.
ASKS_FOR_WIDTHS = re.compile(r'\["pre",[^]]*\]\.join\(", "\)')
ICON = re.compile("[\ue000-\uf8ff]")
ADDRESS = re.compile(r"^(?!data:|#|/|\w+:)")


def share(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Let a page ask for the two shared files, and after them for what it alone needs."""
    if "css_files" not in context or not _has_theme(app):
        return
    shared = {*_shared(app, "css"), *_shared(app, "js")}
    own_styles = [style for style in context["css_files"] if style not in shared]
    own_scripts = [
        script
        for script in context["script_files"]
        if script not in shared and NAME_OF_PAGE not in script.attributes.get("body", "")
    ]
    for script in own_scripts:
        if script.filename and not {"async", "defer", "type"} & script.attributes.keys():
            script.attributes["defer"] = "defer"
    context["css_files"] = [_CascadingStyleSheet(STYLE, priority=0), *own_styles]
    # The search page runs scripts of its own at once, which need the shared one.
    when = {} if pagename == "search" else {"defer": "defer"}
    context["script_files"] = [_JavaScript(SCRIPT, priority=0, **when), *own_scripts]


def _has_theme(app: Sphinx) -> bool:
    return app.config.html_theme == "sphinx_book_theme"


def used_names(pages: Iterator[str], scripts: Iterator[str]) -> set[str]:
    """Return the elements, classes and ids of pages, and the words of scripts that may add some.

    Examples
    --------
    >>> sorted(used_names(iter(['<p class="a b"><i>']), iter(["x.classList.add('open')"])))
    ['a', 'b', 'i', 'open', 'p']
    """
    names: set[str] = set()
    for page in pages:
        names.update(tag.lower() for tag in TAG.findall(page))
        for double, single in MARKED.findall(page):
            names.update((double or single).split())
        for script in INLINE_SCRIPT.findall(page):
            names.update(_said(script))
    for script in scripts:
        names.update(_said(script))
    return names


def _said(script: str) -> Iterator[str]:
    for literal in LITERAL.findall(script):
        yield from WORD.findall("".join(literal))


def needed(selector: list[Any], names: set[str]) -> bool:
    """Return whether what a selector names outside of brackets is there."""
    previous = ""
    for token in selector:
        if token.type == "hash" and token.value not in names:
            return False
        if token.type == "ident" and previous != ":":
            name = token.value if previous == "." else token.lower_value
            if name not in names:
                return False
        previous = token.value if token.type == "literal" else ""
    return True


def purged(rules: list[Any], names: set[str]) -> Iterator[str]:
    """Yield the rules of a style sheet that something with these names may use, and whose it is.

    Examples
    --------
    >>> sheet = tinycss2.parse_stylesheet("p, .gone {margin: 0} @media print {.gone {color: red}}")
    >>> list(purged(sheet, {"p"}))
    ['p{margin: 0}']
    """
    for rule in rules:
        if rule.type == "comment" and rule.value.startswith("!"):
            yield rule.serialize()  # whose it is
        elif rule.type == "qualified-rule":
            kept = [s for s in _split(rule.prelude) if needed(s, names)]
            if kept:
                selectors = ",".join(tinycss2.serialize(selector).strip() for selector in kept)
                yield f"{selectors}{{{_short(rule.content)}}}"
        elif rule.type == "at-rule":
            head = f"@{rule.at_keyword}{_short(rule.prelude, ' ')}"
            if rule.content is None:
                yield f"{head};"
            elif rule.lower_at_keyword in ("media", "supports", "layer", "container"):
                inner = tinycss2.parse_rule_list(rule.content, skip_comments=True)
                if text := "".join(purged(inner, names)):
                    yield f"{head}{{{text}}}"
            else:
                yield f"{head}{{{_short(rule.content)}}}"


def _split(prelude: list[Any]) -> list[list[Any]]:
    selectors: list[list[Any]] = [[]]
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            selectors.append([])
        elif token.type != "comment":
            selectors[-1].append(token)
    return selectors


def _short(tokens: list[Any], before: str = "") -> str:
    text = "".join(
        " " if token.type == "whitespace" else token.serialize()
        for token in tokens
        if token.type != "comment"
    ).strip()
    return before + text if text else ""


def read_sheet(path: Path, root: Path) -> list[Any]:
    """Return the rules of a style sheet and of those it imports; addresses start at ``root``."""
    rules = []
    for rule in tinycss2.parse_stylesheet(path.read_text(encoding="utf-8"), skip_whitespace=True):
        if rule.type == "at-rule" and rule.lower_at_keyword == "import":
            (name,) = (token.value for token in rule.prelude if token.type in ("string", "url"))
            rules += read_sheet(path.parent / name, root)
        elif rule.type != "comment":
            base = path.parent.relative_to(root).as_posix()
            _readdress([*rule.prelude, *(rule.content or [])], "" if base == "." else f"{base}/")
            rules.append(rule)
        elif rule.value.startswith("!"):
            rules.append(rule)
    return rules


def _readdress(tokens: list[Any], base: str) -> None:
    """Let addresses that start at a sheet's folder start at the merged sheet's."""
    for token in tokens:
        if token.type == "url":
            token.value = ADDRESS.sub(base, token.value)
            token.representation = f'url("{token.value}")'
        elif token.type == "function" and token.lower_name == "url":
            for inner in token.arguments:
                if inner.type == "string":
                    inner.value = ADDRESS.sub(base, inner.value)
                    inner.representation = f'"{inner.value}"'
        elif hasattr(token, "content") or hasattr(token, "arguments"):
            _readdress(getattr(token, "content", None) or getattr(token, "arguments", []), base)


def with_icons(css: str, font: Path) -> str:
    """Return a style sheet whose icon font is part of it, cut to the signs that its rules name."""
    css = re.sub(r"@font-face\{[^}]*(?:fa-brands|fa-regular|fa-v4)[^}]*\}", "", css)
    spelled = re.sub(r"\\([ef][0-9a-f]{3})\b", lambda found: chr(int(found[1], 16)), css)
    signs = set(map(ord, ICON.findall(spelled)))
    getLogger("fontTools").setLevel(WARNING)
    face = TTFont(font)
    subsetter = Subsetter()
    subsetter.populate(unicodes=signs)
    subsetter.subset(face)
    face.flavor = "woff"  # woff2 would take one more library to save half a kilobyte
    buffer = BytesIO()
    face.save(buffer, reorderTables=None)
    data = base64.b64encode(buffer.getvalue()).decode()
    source = f'src:url("data:font/woff;base64,{data}") format("woff")'
    return re.sub(r"src:[^;}]*fa-solid-900[^;}]*(?=[;}])", lambda _: source, css)


def write(app: Sphinx, exception: Exception | None) -> None:
    """Make the two files, and let every page ask for this version of them."""
    outdir = Path(app.outdir)
    static = outdir / STATIC
    if exception is not None or app.builder.format != "html" or not _has_theme(app):
        return
    files = {p: p.read_text(encoding="utf-8") for p in outdir.rglob("*.html")}
    pages = {p: text for p, text in files.items() if VERSIONED.search(text)}
    script = ";\n".join(_scripts(app, static))
    others = (
        path.read_text(encoding="utf-8")
        for path in outdir.rglob("*.js")
        if path.parent != static / "scripts" and path.stat().st_size < LARGEST
    )
    paper = PAPER.read_text(encoding="utf-8")
    names = used_names(iter(pages.values()), iter([script, paper, *others]))
    names |= {"html", "root", "host"}
    sheets = [*THEME_STYLES, *_names(_shared(app, "css"))]
    rules = [rule for name in sheets for rule in read_sheet(static / name, static)]
    style = with_icons("\n".join(purged(rules, names)), static / ICONS)
    versions = {}
    for name, text in ((STYLE, style), (SCRIPT, script)):
        (outdir / name).write_text(text, encoding="utf-8")
        versions[name] = hashlib.sha256(text.encode()).hexdigest()[:8]
    for path, text in pages.items():
        new = VERSIONED.sub(lambda found: f"{found[1]}?v={versions[found[1]]}", text)
        if new != text:
            path.write_text(new, encoding="utf-8")


def _shared(app: Sphinx, kind: str) -> list[Any]:
    """Return what Sphinx would let every page ask for, before a page adds its own."""
    return list(getattr(app.builder, f"_orig_{kind}_files"))


def _names(assets: list[Any]) -> list[str]:
    """Return the shared files below ``_static``, in the order in which a page asks for them."""
    ordered = sorted(assets, key=lambda asset: asset.priority)
    return [
        str(asset.filename).removeprefix(f"{STATIC}/").partition("?")[0]
        for asset in ordered
        if asset.filename
    ]


def _scripts(app: Sphinx, static: Path) -> Iterator[str]:
    for script in sorted(_shared(app, "js"), key=lambda script: script.priority):
        if script.filename:
            name = str(script.filename).removeprefix(f"{STATIC}/")
            yield (static / name).read_text(encoding="utf-8")
        else:
            yield script.attributes["body"]
    for name in THEME_SCRIPTS:
        text, found = ASKS_FOR_WIDTHS.subn('"#none"', (static / name).read_text(encoding="utf-8"))
        if not found:
            LOGGER.warning("%s no longer asks for widths where it did: look at assets.py", name)
        yield text


def setup(app: Sphinx) -> None:
    """Share before pages are written, and write after light and dark have been settled."""
    app.connect("html-page-context", share, priority=950)
    app.connect("build-finished", write, priority=950)
