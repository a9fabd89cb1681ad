"""What a cell states stands in the text, wherever that is; what is asked for in vain is told."""

from __future__ import annotations

import html as markup
import re

import pytest

HEAD = """\
---
file_format: mystnb
kernelspec:
  name: python3
---

# A page

"""

PAGE = (
    HEAD
    + """\
Before the cell: {result}`gain`.

```{predict}
question: What happens?
options: [Nothing, Something]
answer: It gains {result}`gain`.
```

```{code-cell} python3
---
tags: [remove-cell]
---
from reglib import experiments

experiments.state(gain=f"{0.12345:.3f} [0.1, 0.2]", best="<rate> & 7")
"not the last expression"
```

```{code-cell} python3
---
tags: [remove-input]
mystnb:
  figure:
    name: fig-one
    caption: The caption says {result}`best`.
  image:
    alt: Dots around {result}`gain`, under "{result}`best`".
---
from IPython.display import Image

experiments.state(of_figure="41")
Image(DOT)
```

| column | value |
| --- | --- |
| {result}`of_figure` | cell |

```{quiz}
question: Which?
options:
  - {text: This, correct: true, feedback: "It gained {result}`gain`."}
  - {text: That, feedback: "It gained less than {result}`gain`."}
```
""".replace(
        "DOT",
        'bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010800000000'
        '3a7e9b550000000a49444154789c63600000000200010005fe02fea70000000049454e44ae426082")',
    )
)


@pytest.fixture(scope="module")
def page(build):
    html, warnings = build(PAGE)
    assert not warnings
    return html


def test_a_result_stands_before_and_after_its_cell_in_every_kind_of_text(page):
    shown = '<span class="result">0.123 [0.1, 0.2]</span>'
    assert f"Before the cell: {shown}" in page
    assert page.count(shown) == 4
    caption = re.search(r"<figcaption>(.*?)</figcaption>", page, re.DOTALL)[1]
    assert "The caption says <rate> & 7." in markup.unescape(re.sub("<.*?>", "", caption))
    assert re.search(r'<td><p><span class="result">41</span></p></td>', page)


def test_a_result_stands_in_alternative_text(page):
    assert 'alt="Dots around 0.123 [0.1, 0.2], under &quot;&lt;rate&gt; &amp; 7&quot;."' in page


def test_where_a_result_is_stated_nothing_is_to_be_seen(page):
    assert "gain:" not in page
    assert "of_figure:" not in page
    assert page.count("<figure") == 1


DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9"/></svg>'


def test_a_result_stands_in_the_name_of_a_drawing(build):
    code = 'from reglib import experiments\nexperiments.state(a="7 > 6")'
    cell = f"```{{code-cell}} python3\n{code}\n```\n"
    text = "```{diagram} one.svg\n:alt: A line that is {result}`a` long\n```\n"
    html, warnings = build(HEAD + text + cell, {"one.svg": DRAWING})
    assert 'aria-label="A line that is 7 &gt; 6 long"' in html
    assert not warnings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("It is {result}`gian`.", "no cell of this page states a result 'gian'; it has 'gain'"),
        ("It is {result}`other`.", "a result 'other'; it has gain, loss"),
    ],
)
def test_an_unknown_name_is_told_with_what_there_is(build, text, message):
    cell = (
        "```{code-cell} python3\nfrom reglib import experiments\n"
        'experiments.state(gain="1", loss="2")\n```\n'
    )
    _, warnings = build(HEAD + cell + text)
    assert message in warnings
    assert "index.md:1" in warnings


def test_a_page_without_cells_has_no_results(build):
    _, warnings = build("# A page\n\nIt is {result}`gain`.\n")
    assert "states a result 'gain'; it has none at all" in warnings


def test_a_name_is_stated_once(build):
    cell = "```{code-cell} python3\nfrom reglib import experiments\nexperiments.state(a='1')\n```\n"
    other = "```{code-cell} python3\nexperiments.state(a='2', b='3')\n```\n"
    _, warnings = build(HEAD + cell + other)
    assert "two cells of this page state a result 'a'" in warnings
