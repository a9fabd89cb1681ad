"""Every objective has a section and a test, or the build stops; a table shows them all."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

from tests.book.built import SITE

PAGE = """\
# A chapter

:::{{objectives}}
- Shrink a weight.
  {practised}
:::

## The proximal step

```{{quiz}}
question: Which is even?
options:
  - {{text: Two, correct: true, feedback: Yes.}}
  - {{text: Three, feedback: Odd.}}
```

:::{{assignment}} 03-l1-and-elastic-net
Write it.
:::
"""
REST = "l1_penalty; soft_threshold; elastic_net_penalty; lasso_fit; question 1"


@pytest.fixture(scope="module")
def shown(build):
    def page(practised):
        files = {"getting-started.md": "---\norphan: true\n---\n# Getting started\n"}
        html, warnings = build(PAGE.format(practised=practised), files)
        return BeautifulSoup(html, "html.parser"), warnings

    return page


def test_an_objective_links_to_its_section_and_tests(shown):
    page, warnings = shown(f"{{practised}}`The proximal step; proximal_step; {REST}`")
    assert not warnings
    links = page.select(".practised a")
    assert [link.text for link in links[:2]] == ["The proximal step", "proximal_step"]
    for link in links:
        assert page.find(id=link["href"].removeprefix("#")), link


@pytest.mark.parametrize(
    ("practised", "message"),
    [
        ("", "say at the end of 'Shrink a weight.' where it is taught"),
        ("{practised}`The proximal step`", "name a section and at least one test"),
        (f"{{practised}}`The next step; proximal_step; {REST}`", "no 'The next step'"),
        (f"{{practised}}`The proximal step; proximal; {REST}`", "the assignment has no 'proximal'"),
        (f"{{practised}}`The proximal step; question 2; proximal_step; {REST}`", "no 'question 2'"),
        (f"{{practised}}`The proximal step; {REST}`", "none says that 'proximal_step' tests it"),
    ],
)
def test_an_objective_that_leads_nowhere_stops_the_build(practised, message, shown):
    _, warnings = shown(practised)
    assert message in warnings


def read(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def test_the_table_has_every_objective_of_the_built_book(site):
    chapters = SITE.joinpath("chapters").glob("*.html")
    objectives = sum(len(read(path).select(".practised")) for path in chapters)
    rows = read(SITE / "concept-map.html").select(".concept-map tbody tr")
    cells = [row.select("td") for row in rows]
    assert sum(len(row) == 4 for row in cells) == objectives > 20  # the others are further tests
    assert all(cell.text.strip() for row in cells for cell in row)
