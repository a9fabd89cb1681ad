"""A number in the text that looks like a result and is not inserted stops the build.

What looks like a result: a decimal, a percentage, "22 times", "57 of the 60", a whole number of
two digits or more. What is none: a number that stands in the code of the page (a setting), in a
formula, in a sentence with a citation, or in ``{given}`0.5` ``. A quiz may give numbers in its
question and options and use them in the feedback; a prediction, in its question alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.util import logging

from regbook.execute import read_chapter
from regbook.markup import Markup
from regbook.results import GIVEN, IN_TEXT, RESULT

LOGGER = logging.getLogger(__name__)

NUMBER = re.compile(
    r"(?<![\w.,:/^_{-])(?P<sign>[-−+±~≈]?)(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.\d+|\d+)"
    r"(?P<share>[\s\u00a0\u202f]?%|[\s\u00a0]per\s?cent\b)?(?![\w]|[.,]\d)"
)
#: Whatever stands in the code, a unit attached or not.
IN_CODE = re.compile(r"(?<![\w.])\d*\.?\d+(?:e[-+]?\d+)?", re.IGNORECASE)
#: Words after which a number is a name.
NAMES = re.compile(r"\b(chapters?|sections?|page|version|example|figure|step|equation)\s+$", re.I)
SENTENCE = re.compile(r"(?<=[.!?:;])\s+(?=[^a-z])")
#: The level of an interval is chosen, and a year is a name.
LEVEL = re.compile(r"[\s-](confidence |t )?intervals?\b", re.IGNORECASE)
YEAR = re.compile(r"1[6-9]\d\d|20\d\d")
#: Stand-ins for what is not text, in which no number is looked for.
OTHER, CITED, INSERTED = "\ue000", "\ue001", "\ue002"
#: Where a page draws: a limit of an axis or a position of a label is no setting.
DRAWING = {"ax", "axes", "plt", "plotting", "moving", "fig", "figure", "left", "right"}
SMALLEST = 10
NO_TEXT = (nodes.literal, nodes.math, nodes.raw, nodes.image)


def numbers_in_code(code: str) -> set[float]:
    r"""Return the numbers that stand in some code, outside of calls that draw.

    Examples
    --------
    >>> sorted(numbers_in_code("run(rate=.5, name='±15°')\nax.set(ylim=(0, 7))"))
    [0.5, 15.0]
    """
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return _numbers(code)
    found: set[float] = set()
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call) and _first_name(node.func) in DRAWING:
            continue
        if isinstance(node, ast.Constant):
            found |= _numbers(str(node.value)) if not isinstance(node.value, bool) else set()
        waiting += ast.iter_child_nodes(node)
    return found


def _first_name(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _numbers(text: str) -> set[float]:
    return {float(number) for number in IN_CODE.findall(text.replace("_", ""))}


def typed(
    text: str,
    settings: frozenset[float] = frozenset(),
    given: frozenset[float] = frozenset(),
) -> list[str]:
    """Return the numbers of a text that look like results and are not given.

    A sentence that has results has no decimals that only happen to be settings too, unless it
    says so: λ = 0.3.

    Examples
    --------
    >>> typed("It rises from .85 to 93 %, 22 times as much as in chapter 3.")
    ['.85', '93 %', '22']
    >>> typed("With a rate of 0.5 it gains nothing.", frozenset({0.5}))
    []
    """
    found = []
    for sentence in SENTENCE.split(text):
        if CITED in sentence:
            continue
        looks = [
            match
            for match in NUMBER.finditer(sentence)
            if _looks_like_a_result(match, sentence) and not _values(match) & given
        ]
        unknown = [match for match in looks if not _values(match) & settings]
        has_results = INSERTED in sentence or any(map(_is_decimal, unknown))
        found += [
            " ".join(match[0].split())
            for match in looks
            if match in unknown
            or (has_results and _is_decimal(match) and not _is_named(match, sentence))
        ]
    return found


def _values(match: re.Match[str]) -> set[float]:
    value = float(match["number"].replace(",", ""))
    return {value, round(value / 100, 12)} if match["share"] else {value}


def _is_decimal(match: re.Match[str]) -> bool:
    return bool(match["share"]) or "." in match["number"]


def _is_named(match: re.Match[str], sentence: str) -> bool:
    """Return whether the text says what the number is the value of."""
    return re.search(r"[=<>≤≥≈]\s*$", sentence[: match.start()]) is not None


def _looks_like_a_result(match: re.Match[str], sentence: str) -> bool:
    value = float(match["number"].replace(",", ""))
    before, after = sentence[: match.start()], sentence[match.end() :]
    if NAMES.search(before) or (match["share"] and LEVEL.match(after)):
        return False
    if _is_decimal(match):
        return True
    if re.match(r"(-|\s)(times|fold)\b|\s+of\s+(the\s+|all\s+)?\d", after):
        return value > 2
    return value >= SMALLEST and not YEAR.fullmatch(match[0].strip())


def texts(document: nodes.document) -> Iterator[tuple[nodes.Node, str, str]]:
    """Yield the texts of a page: node, text, and in which part of a question it stands."""
    for block in document.findall(nodes.TextElement):
        if isinstance(block, nodes.Inline | nodes.FixedTextElement | nodes.Invisible):
            continue
        yield block, "".join(_pieces(block)), _part(block)
    for node in document.findall(nodes.Element):
        if isinstance(node.get("alt"), str):
            yield node, IN_TEXT.sub(INSERTED, node.get("typed", node["alt"])), ""


def _pieces(node: nodes.Node) -> Iterator[str]:
    for child in node.children:
        classes = child.get("classes", ()) if isinstance(child, nodes.Element) else ()
        is_link = isinstance(child, pending_xref)
        if isinstance(child, nodes.Text):
            yield child.astext()
        elif is_link and child.get("refdomain") == "cite":
            yield CITED
        elif RESULT in classes:
            yield INSERTED
        elif (
            isinstance(child, NO_TEXT)
            or GIVEN in classes
            or (is_link and not child.get("refexplicit"))
        ):
            yield OTHER
        else:
            yield from _pieces(child)


def _part(node: nodes.Node | None) -> str:
    """Return the class of the part of a question that a node stands in."""
    while node is not None:
        if isinstance(node, Markup):
            kind = node["html"].get("class", "") or ""
            if kind.startswith(("quiz-", "predict-")):
                return str(kind)
        node = node.parent
    return ""


def check(app: Sphinx, document: nodes.document) -> None:
    """Warn of every typed result of a page with cells."""
    env = app.env
    docname = env.docname
    if docname in app.config.typed_results_excused:
        return
    chapter = read_chapter(env, docname, env.mystnb_config)
    if chapter is None:
        return
    settings: frozenset[float] = frozenset()
    for cell in chapter.notebook.cells:
        if cell.cell_type == "code" and "claim" not in cell.metadata.get("tags", []):
            settings |= numbers_in_code(cell.source)
    for code in document.findall(nodes.literal_block):
        if code.get("language") in ("python", "ipython3"):
            settings |= numbers_in_code(code.astext())
    for node, text, part in texts(document):
        if part and part not in ("quiz-feedback", "predict-answer-text"):
            continue
        for number in typed(text, settings, _given_by_question(node, part)):
            LOGGER.warning(
                "%s looks like a typed result: %r; insert it with {result}, or mark a number that "
                "is none with {given}",
                number,
                _shown(text, number),
                location=node if node.line else docname,
                type="regbook",
                subtype="typed",
            )


def _shown(text: str, number: str) -> str:
    """Return the surroundings of a number."""
    text = " ".join(re.sub(f"[{OTHER}{CITED}{INSERTED}]", "…", text).split())
    place = text.find(number)
    return text[max(place - 60, 0) : place + 60]


def _given_by_question(node: nodes.Node | None, part: str) -> frozenset[float]:
    """Return the numbers that a question gives its answers to work with."""
    if not part:
        return frozenset()
    while node is not None and not (isinstance(node, Markup) and node["tag"] == "form"):
        node = node.parent
    found: set[float] = set()
    for other in node.findall(Markup) if node is not None else ():
        kind = other["html"].get("class", "")
        if kind in ("quiz-question", "predict-question") or (
            part == "quiz-feedback" and other["tag"] == "label"
        ):
            found |= {
                value for match in NUMBER.finditer(other.astext()) for value in _values(match)
            }
    return frozenset(found)


def setup(app: Sphinx) -> None:
    """Check each page when it has been read."""
    app.add_config_value("typed_results_excused", [], "env", list)
    app.connect("doctree-read", check)
