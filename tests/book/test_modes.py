"""Light and dark without a script, paper, the keyboard, and what the search understands."""

from __future__ import annotations

import pytest
from regbook.modes import without_script

from tests.book.built import pages

INK = {"light": (0, 90), "dark": (160, 255)}
CHAPTERS = [name for name in pages() if name.startswith("chapters/")]
LUMINANCE = """(element, property) => {
  const [r, g, b] = getComputedStyle(element)[property].match(/[\\d.]+/g).map(Number);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}"""


def luminance(locator, prop="color"):
    """The lightness of an element's color, 0 to 255."""
    return locator.evaluate(f"(element) => ({LUMINANCE})(element, '{prop}')")


def test_a_selector_for_both_is_told_apart():
    css = without_script("/* a, b */ p:is(a, b), html[data-theme='dark'] q { top: 0 }")
    first, *dark = css.splitlines()
    assert first == "p:is(a, b){ top: 0 }"
    assert len(dark) == 2
    assert all(rule.startswith("@media screen") for rule in dark)


@pytest.mark.browser
@pytest.mark.parametrize("scheme", INK)
def test_without_a_script_a_page_has_the_colors_of_the_system(address, visit, scheme):
    page = visit(scheme=scheme, script=False).open_plainly(f"{address}/index.html")
    low, high = INK[scheme]
    assert low <= luminance(page.locator("article p").first) <= high
    fills = page.locator(".diagram-wide circle").evaluate_all(
        "(circles) => circles.map((circle) => getComputedStyle(circle).fill)"
    )
    assert len(set(fills)) > 3  # the drawing's families of techniques, not black boxes
    assert page.locator(".pst-js-only:visible").count() == 0


#: Buttons that say nothing without a script, in the order in which they stand.
DEAD = """() => [...document.querySelectorAll("button:not([type=reset])")]
  .filter((button) => button.checkVisibility({visibilityProperty: true}))
  .filter((button) => !button.matches(".dropdown-toggle"))
  .map((button) => button.outerHTML)"""


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_without_a_script_no_button_is_dead(address, visit, width):
    page = visit(width, script=False).open_plainly(f"{address}/chapters/05-dropout.html")
    assert not page.evaluate(DEAD)
    page.locator(".dropdown-toggle").first.click()
    assert page.locator(".dropdown-menu a:visible").count() > 0


@pytest.mark.browser
def test_without_a_script_the_chapters_can_be_reached_on_a_phone(address, visit):
    page = visit(390, script=False).open_plainly(f"{address}/chapters/05-dropout.html")
    assert page.locator("nav.bd-docs-nav a:visible", has_text="L2").count() > 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.browser
@pytest.mark.parametrize("scheme", INK)
def test_without_a_script_a_formula_can_be_read(address, visit, scheme):
    page = visit(390, scheme, script=False).open_plainly(f"{address}/chapters/02-l2.html")
    formula = page.locator("div.math math").first
    low, high = INK[scheme]
    assert low <= luminance(formula) <= high
    assert formula.bounding_box()["height"] > 10


@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("scheme", INK)
def test_on_paper_text_is_dark(address, visit, scheme, script):
    page = visit(scheme=scheme, script=script).open_plainly(f"{address}/chapters/05-dropout.html")
    page.emulate_media(media="print", color_scheme=scheme)
    for text in ("article p", "article h2", "article pre span", "article figcaption", "math"):
        for element in page.locator(text).all()[:12]:
            assert luminance(element) < 150, text


#: The classes of what a sheet of paper would leave out.
HIDDEN = """() => [...document.querySelectorAll(
    ".answer-text, .predict-answer-text, .quiz-feedback, .sd-tab-content, .cell_output, "
    + ".cell_input pre")]
  .filter((element) => !element.checkVisibility({contentVisibilityAuto: true})
                       || element.getBoundingClientRect().height < 5)
  .map((element) => element.className)"""


@pytest.mark.browser
@pytest.mark.parametrize("name", CHAPTERS)
@pytest.mark.parametrize("script", [True, False])
def test_on_paper_everything_is_open(address, visit, name, script):
    page = visit(script=script).open_plainly(f"{address}/{name}.html")
    page.emulate_media(media="print")
    # What was closed is laid out in one of the next frames; how soon, the machine decides.
    for _ in range(20):
        hidden = page.evaluate(HIDDEN)
        if not hidden:
            break
        page.wait_for_timeout(100)
    assert not hidden
    assert page.locator(".waits-for-prediction:visible").count() == 0


@pytest.mark.browser
def test_buttons_above_a_page_show_that_they_have_the_focus(address, visit):
    page = visit(390).open(f"{address}/chapters/02-l2.html")
    seen = []
    for _ in range(8):
        page.keyboard.press("Tab")
        ring = page.evaluate(
            """() => {
              const element = document.activeElement, style = getComputedStyle(element);
              const box = element.getBoundingClientRect();
              const room = parseFloat(style.outlineOffset) + parseFloat(style.outlineWidth);
              return {name: element.getAttribute("aria-label"), style: style.outlineStyle,
                      width: parseFloat(style.outlineWidth), left: box.left - room,
                      top: box.top - room};
            }"""
        )
        if ring["name"]:
            seen.append(ring["name"])
            assert ring["style"] == "solid", ring
            assert ring["width"] >= 2, ring
            assert ring["left"] >= 0, ring
            assert ring["top"] >= 0, ring
    assert "Show or hide the chapters" in seen


@pytest.mark.browser
@pytest.mark.parametrize("query", ["regularisation", "λ", "behaviour"])
def test_search_finds_other_spellings_and_greek_letters(address, visit, query):
    page = visit().open(f"{address}/search.html?q={query}")
    page.wait_for_selector("ul.search li a")
    found = page.locator("ul.search li a").all_inner_texts()
    assert found
    if query != "behaviour":
        assert any("L2" in title for title in found)
