"""A figure that moves can be moved by anybody, and is whole where nothing can move."""

from __future__ import annotations

import gzip
import re

import pytest

from tests.book.accessibility import violations
from tests.book.built import SITE, pages

PAGE = """\
---
file_format: mystnb
kernelspec:
  name: python3
---

# A page

Look at {numref}`fig-moves`.

```{code-cell} python3
---
tags: [remove-input]
mystnb:
  figure:
    name: fig-moves
    caption: The line gets steeper.
  image:
    alt: A line from the corner whose other end is at {result}`highest` in the end, "steep".
---
from reglib import experiments, moving

experiments.state(highest="0.8")
left = moving.Panel("loss", (0, 1), (0, 1), xlabel="time")
right = moving.Panel("mask")
frames = {
    f"{k / 5:g}": ([left.line([0, 1], [0, k / 5]), right.cells([[k / 5, 1]])],
                   {"end": k / 5, "test loss": 1 - k / 10})
    for k in range(5)
}
moving.figure("slope", [(left, left.text(0.5, 0.9, "limit")), (right, "")], frames, start="0.2")
```
"""


@pytest.fixture(scope="session")
def moving_page(build):
    html, warnings = build(PAGE)
    assert not warnings
    return html


def shown(page) -> list[str]:
    """Return the frame that each panel of the stage shows."""
    links = page.locator(".moving-stage > svg > use:last-child").all()
    return [link.get_attribute("href").rpartition("-")[2] for link in links]


def test_it_is_a_figure_with_number_and_caption(moving_page):
    figure = re.search(r'<figure[^>]*id="fig-moves".*?</figure>', moving_page, re.DOTALL)[0]
    assert "The line gets steeper." in figure
    assert figure.count('class="moving"') == 1
    assert "Fig. 1" in moving_page.partition("Look at")[2][:120]


def test_its_alternative_text_is_the_cell_s_with_results_inserted(moving_page):
    text = "A line from the corner whose other end is at 0.8 in the end, &quot;steep&quot;."
    assert moving_page.count(f'aria-label="{text}"') == 2


def test_without_alternative_text_the_build_warns(build):
    cell = PAGE.replace("Look at {numref}`fig-moves`.", "").replace("  image:\n", "")
    _, warnings = build(re.sub(r"    alt: .*\n", "", cell))
    assert "alternative text of a picture is missing" in warnings


@pytest.mark.browser
def test_the_keyboard_moves_it(moving_page, open_page):
    page = open_page(moving_page)
    slider = page.get_by_role("slider", name="slope")
    assert shown(page) == ["1", "1"]
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert shown(page) == ["2", "2"]
    page.keyboard.press("End")
    assert shown(page) == ["4", "4"]
    page.keyboard.press("ArrowLeft")
    assert shown(page) == ["3", "3"]


@pytest.mark.browser
def test_a_screen_reader_hears_the_frame_and_its_numbers(moving_page, open_page):
    page = open_page(moving_page)
    slider = page.get_by_role("slider", name="slope")
    assert slider.get_attribute("aria-valuetext") == "0.2, end 0.200, test loss 0.900"
    slider.focus()
    page.keyboard.press("Home")
    assert slider.get_attribute("aria-valuetext") == "0, end 0.00, test loss 1.00"
    output = page.locator(".moving output")
    assert output.inner_text() == "slope = 0 · end 0.00 · test loss 1.00"
    assert output.get_attribute("aria-live") == "off"  # or it would be said twice


@pytest.mark.browser
def test_what_moves_is_seen(moving_page, open_page):
    page = open_page(moving_page)
    stage = page.locator(".moving-stage")
    assert stage.is_visible()
    assert not page.locator(".moving-stills").is_visible()
    before = stage.screenshot()
    page.get_by_role("slider", name="slope").fill("4")
    assert stage.screenshot() != before


@pytest.mark.browser
def test_without_a_script_three_frames_and_the_table_are_there(moving_page, open_page):
    page = open_page(moving_page, script=False)
    assert not page.locator(".moving-control").is_visible()
    assert not page.locator(".moving-stage").is_visible()
    stills = page.locator(".moving-stills > div")
    assert [still.locator("p").inner_text() for still in stills.all()] == [
        "slope = 0",
        "slope = 0.2",
        "slope = 0.8",
    ]
    for drawing in page.locator(".moving-stills svg").all():
        assert drawing.bounding_box()["height"] > 150
    page.locator(".moving summary").click()
    assert page.locator(".moving tbody tr").count() == 5
    assert page.locator(".moving table").is_visible()


@pytest.mark.browser
def test_in_print_three_frames_stand_still_above_the_open_table(moving_page, open_page):
    page = open_page(moving_page)
    page.emulate_media(media="print")
    assert not page.locator(".moving-control").is_visible()
    assert not page.locator(".moving-stage").is_visible()
    assert page.locator(".moving-stills svg").count() == 6
    assert page.locator(".moving-stills svg").last.is_visible()
    table = page.locator(".moving table")
    assert table.bounding_box()["height"] > 100
    assert table.evaluate("(e) => e.checkVisibility({contentVisibilityAuto: true})")


@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_it_fits_a_phone_and_its_text_is_legible_there(moving_page, open_page, script):
    page = open_page(moving_page, width=390, script=script)
    sizes = page.evaluate(
        """() => [...document.querySelectorAll(".moving svg[viewBox]")].filter(
             (svg) => svg.parentElement.closest("svg") === null && svg.clientWidth
           ).map((svg) => parseFloat(getComputedStyle(svg).fontSize) *
             svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)"""
    )
    assert len(sizes) == (2 if script else 6)
    assert min(sizes) >= 11
    assert page.locator(".moving").evaluate("(e) => e.scrollWidth <= e.clientWidth")


@pytest.mark.browser
def test_axe_finds_nothing_wrong_with_it(moving_page, open_page):
    page = open_page(moving_page)
    page.locator(".moving summary").click()
    assert not violations(page, within=".moving")
    # What is seen without a script, since the checker is one.
    page.evaluate("document.querySelector('.moving-stills').hidden = false")
    page.evaluate("document.querySelector('.moving-stage').hidden = true")
    assert not violations(page, within=".moving")


MOVING = re.compile(r'<div class="moving" .*?</details></div>', re.DOTALL)


@pytest.mark.parametrize("name", pages())
def test_the_figures_of_a_page_are_small(site, name):
    html = (SITE / f"{name}.html").read_text(encoding="utf-8")
    sizes = [len(gzip.compress(figure.encode())) for figure in MOVING.findall(html)]
    assert max(sizes, default=0) < 6_000
    assert len(sizes) == html.count('class="moving"')


WITH_FIGURES = [
    name
    for name in pages()
    if (SITE / f"{name}.html").exists()
    and 'class="moving"' in (SITE / f"{name}.html").read_text(encoding="utf-8")
]


def test_each_chapter_has_a_figure_that_moves(site):
    chapters = [f"chapters/{path.stem}" for path in (site / "chapters").glob("[0-9]*.html")]
    assert chapters
    assert not set(chapters) - set(WITH_FIGURES)


@pytest.mark.browser
@pytest.mark.parametrize("name", WITH_FIGURES)
def test_the_theme_leaves_it_legible_in_the_dark_and_whole_in_print(address, visit, name):
    page = visit(scheme="dark").open(f"{address}/{name}.html")
    figure = page.locator(".moving").first
    behind = "(e) => getComputedStyle(e.parentElement).backgroundColor"
    assert figure.evaluate(behind) == "rgba(0, 0, 0, 0)"
    page.emulate_media(media="print")
    assert figure.locator(".moving-stills svg").first.is_visible()
    assert figure.locator("table").bounding_box()["height"] > 100
    assert not figure.locator(".moving-stage").is_visible()
