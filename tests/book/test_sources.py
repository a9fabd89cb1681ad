"""The table of sources is whole, dated and linked, and what it says of this course is looked up."""

from __future__ import annotations

import re
from datetime import date

import pytest
import yaml
from bs4 import BeautifulSoup
from regbook.sources import OTHERWISE, TEACHES, ours, read_cell, read_table

from tests import ROOT

BOOK = ROOT / "book"
SOURCES = (BOOK / "sources.yml").read_text(encoding="utf-8")
TABLE = read_table(SOURCES)
CHAPTERS_OF_THE_SYLLABUS = range(15)

SMALL = """\
sources:
  one: {name: One, part: all, title: A book, authors: Somebody, address: "https://example.org",
        edition: first, copied: 2026-01-02, looked_at: 2026-01-03, how: By reading.}
techniques:
  - {name: Dropout, here: {chapter: 5, text: dropout}, one: text code @ 3.1}
  - {name: Pruning, here: {}, one: exercise @ 3.2}
  - {name: Clipping, here: {chapter: 10, text: clip}, one: unknown}
"""
PAGE = """\
# A page

```{sources-table}
```

```{sources-beyond}
```

```{sources-list}
```

```{toctree}
chapters/05-dropout
```
"""


def test_there_are_nine_sources():
    assert len(TABLE.sources) == 9


@pytest.mark.parametrize("row", TABLE.rows, ids=lambda row: row.name)
def test_a_row_has_every_source_and_allowed_words(row):
    assert row.cells.keys() == TABLE.sources.keys()
    for cell in row.cells.values():
        assert set(cell.words) <= {*TEACHES, *OTHERWISE}


@pytest.mark.parametrize("row", TABLE.rows, ids=lambda row: row.name)
def test_what_is_said_of_a_chapter_of_ours_is_found_there_or_planned(row):
    cell = ours(row.here, BOOK)
    if "chapter" in row.here:
        assert row.here["chapter"] in CHAPTERS_OF_THE_SYLLABUS
        expected = tuple(word for word in TEACHES if word in row.here)
    else:
        expected = ("named",) if row.here else ("absent",)
    assert cell.words in (expected, ("planned",))


@pytest.mark.parametrize("key", TABLE.sources)
def test_a_source_has_a_secure_address_and_iso_dates(key):
    facts = TABLE.sources[key]
    assert re.match(r"https://[\w.-]+(/|$)", facts["address"])
    assert facts["copied"] == "undated" or facts["copied"] <= facts["looked_at"]
    assert date.fromisoformat(str(facts["looked_at"])) == facts["looked_at"]


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("one: unknown", "two: unknown", "a cell for each source: one, two"),
        ("one: unknown", "one: perhaps", "a cell must say"),
        ("one: unknown", "one: code text @ 2", "a cell must say"),
        ("one: unknown", "one: planned", "a cell must say"),
        ("one: unknown", "one: named", "must say where"),
        ("text code @ 3.1", "text code", "must say where"),
        ("https://", "http://", "must begin with https"),
        ("2026-01-03", "yesterday", "looked_at of 'one' must be a date"),
        ("looked_at: 2026-01-03", "looked_at: undated", "must be a date"),
        ("edition: first, ", "", "edition"),
    ],
)
def test_a_fault_in_the_file_is_told(right, wrong, message):
    with pytest.raises(ValueError, match=message):
        read_table(SMALL.replace(right, wrong, 1))


def test_a_chapter_that_lacks_what_is_sought_is_not_counted(tmp_path):
    chapters = tmp_path / "book" / "chapters"
    chapters.mkdir(parents=True)
    (chapters / "05-dropout.md").write_text("# Dropout\n\n```python\nmask = 1\n```\n")
    folder = tmp_path / "exercises" / "05-dropout"
    folder.mkdir(parents=True)
    (folder / "05-dropout.ipynb").write_text('"def mask(x):"')

    def found(**here):
        return ours({"chapter": 5, **here}, tmp_path / "book").words

    assert found(text="dropout", code="mask =", exercise="mask") == ("text", "code", "exercise")
    assert found(text="a mask", code="Dropout", exercise="mas") == ("absent",)
    assert ours({"chapter": 6, "text": "x"}, tmp_path / "book").words == ("planned",)


def test_the_page_shows_a_table_that_everybody_can_read(build):
    files = {"sources.yml": SMALL, "chapters/05-dropout.md": "# Dropout\n\nDropout drops.\n"}
    html, warnings = build(PAGE, files)
    assert not warnings
    page = BeautifulSoup(html, "html.parser")
    scroll = page.find(class_="table-scroll")
    assert (scroll["tabindex"], scroll["role"]) == ("0", "region")
    assert scroll["aria-label"] == scroll.caption.text.strip()
    rows = scroll.find_all("tr")
    assert [head["scope"] for head in rows[0].find_all("th")] == ["col"] * 3
    assert all(row.th["scope"] == "row" for row in rows[1:])
    texts = [[" ".join(cell.text.split()) for cell in row.find_all(["th", "td"])] for row in rows]
    assert texts[1:] == [
        ["Dropout", "text chapter 5", "text, code 3.1"],
        ["Pruning", "absent", "exercise 3.2"],
        ["Clipping", "planned chapter 10", "? unknown"],
    ]
    assert scroll.a["href"].endswith("chapters/05-dropout.html")
    beyond, sources = page.find(class_="body").find_all("ul")[:2]
    assert " ".join(beyond.text.split()) == "Pruning: One (3.2)"
    assert "copy of 2026-01-02, looked at on 2026-01-03" in sources.text


def test_a_fault_stops_the_build_with_its_place(build):
    _, warnings = build(PAGE, {"sources.yml": SMALL.replace("one: unknown", "one: perhaps")})
    assert "sources-table: 'Clipping': a cell must say" in warnings


def test_every_cell_can_be_read_back():
    for entry in yaml.safe_load(SOURCES)["techniques"]:
        for key in TABLE.sources:
            assert read_cell(entry[key])
