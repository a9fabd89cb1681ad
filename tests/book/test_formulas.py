"""Formulas are there without a script, in a font that has their signs; a wrong one is named."""

from __future__ import annotations

import re
import unicodedata

import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont

from tests import ROOT
from tests.book.built import pages

FONT = ROOT / "book" / "_static" / "fonts" / "stix-two-math.woff2"
#: Browsers draw a variable of one letter with these.
ITALIC = {"h": "ℎ"} | {
    unicodedata.normalize("NFKC", sign): sign
    for sign in map(chr, range(0x1D434, 0x1D7CA))
    if unicodedata.name(sign, "").startswith("MATHEMATICAL ITALIC")
}


@pytest.fixture(scope="module")
def formulas(site):
    """The formulas of the built book by page."""
    found = {}
    for name in pages():
        html = (site / f"{name}.html").read_text(encoding="utf-8")
        found[name] = BeautifulSoup(html, "html.parser").find_all("math")
    return found


def test_no_page_shows_the_source_of_a_formula(site, formulas):
    assert formulas["chapters/02-l2"]
    for name in formulas:
        html = (site / f"{name}.html").read_text(encoding="utf-8")
        shown = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)  # one holds a notebook
        assert not [sign for sign in (r"\(", r"\[", r"\frac", r"\sum") if sign in shown], name


def test_no_formula_spells_out_a_command(formulas):
    """As sqrt x does where its backslash was lost: each letter is a variable of its own."""
    commands = re.compile("sqrt|frac|sum|hat|bar|dot|log|exp|max|min|sign|lambda|sigma|beta")
    spelled = [
        (name, word)
        for name, found in formulas.items()
        for math in found
        for letters in re.findall("(?:<mi>[a-z]</mi>)+", str(math))
        if commands.search(word := re.sub("<[^>]*>", "", letters))
    ]
    assert not spelled


def test_the_book_s_font_has_every_sign_and_the_measures_of_formulas(formulas):
    font = TTFont(FONT)
    assert "MATH" in font
    known = font.getBestCmap()
    signs = {sign for found in formulas.values() for math in found for sign in math.get_text()}
    signs -= {"\ufe00"}  # chooses the form of the sign before it
    needed = {part for sign in signs for part in (sign, ITALIC.get(sign, sign)) if part.strip()}
    assert sorted(sign for sign in needed if ord(sign) not in known) == []


def test_a_formula_that_is_none_is_a_warning_at_its_page(build):
    html, warnings = build("# P\n\nA half is $\\frac{1$.\n")
    assert "index.md" in warnings
    assert r"\frac{1" in warnings
    assert r"<code>\frac{1</code>" in html


def test_a_numbered_formula_can_be_referred_to(build):
    html, warnings = build("# P\n\n$$ a < b $$ (eq-less)\n\nBy {eq}`eq-less` it is.\n")
    assert not warnings
    page = BeautifulSoup(html, "html.parser")
    assert page.select_one("#equation-eq-less .eqno").get_text().startswith("(1)")
    assert page.select_one('a[href="#equation-eq-less"]')
    assert page.select_one("math[display=block]").get_text() == "a<b"


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_formulas_are_drawn_where_no_script_may_run(address, visit, width):
    page = visit(width, script=False).page
    page.goto(f"{address}/chapters/02-l2.html")
    heights = [
        box["height"] for m in page.locator("math:visible").all() if (box := m.bounding_box())
    ]
    assert len(heights) > 20
    assert min(heights) > 5
    assert max(heights) > 60  # a fraction above a fraction: the font's measures are at work
