"""A typed result stops the build wherever it stands; a setting or a source's figure does not."""

from __future__ import annotations

import re

import pytest
from regbook.typed_numbers import CITED, INSERTED, OTHER, numbers_in_code, typed

SETTINGS = frozenset({0.5, 0.2, 12.0, 0.15, 1000.0})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Fresh masks lower it by 0.47 and L2 by .48.", ["0.47", ".48"]),
        ("It goes from −0.03 to +0.9.", ["−0.03", "+0.9"]),
        ("The interval is [.86, .91].", [".86", ".91"]),
        ("The first keeps 91 %, the second 9 percent.", ["91 %", "9 percent"]),
        ("That is 22 times as much, a 3-fold gain.", ["22", "3"]),
        ("It sets 57 of the 60 to zero, 9 of 12.", ["57", "60", "9", "12"]),
        ("A thousand digits that are 497, or 1,797.", ["497", "1,797"]),
        ("It takes 250 steps, ±15° and 40×.", ["250", "±15", "40"]),
        ("In a table: 0.93 ± 0.01", ["0.93", "± 0.01"]),
    ],
)
def test_a_number_that_looks_like_a_result_is_found(text, found):
    assert [re.sub(r"\s+", " ", number) for number in typed(text)] == [
        number.replace("± ", "") for number in found
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Two of three layers have 2 units.",
        "Chapter 12 and section 7.8 say more, version 4.0 too.",
        "In 1957 the peak was high.",
        "The bar is its 95 % interval, the band a 95 % confidence interval.",
        f"They report 91.5 % and 93 % {CITED}.",
        f"The code has {OTHER}, the page {INSERTED}.",
        "L2, W1 and float32 are names; so is a-17.",
        "A rate of 0.5 for 12 epochs, fifteen percent is 15 % of 1,000.",
        f"At λ = 0.2 it is {INSERTED}.",
    ],
)
def test_what_is_no_result_is_left_alone(text):
    assert typed(text, SETTINGS) == []


def test_in_a_sentence_with_results_a_decimal_that_is_a_setting_too_may_be_one():
    """Half of a caption's results are also somewhere in the code."""
    assert typed("The nine loses 0.39, the six 0.2. It has a rate of 0.5.", SETTINGS) == [
        "0.39",
        "0.2",
    ]
    assert typed(f"It gains {INSERTED} where the other gains 0.2.", SETTINGS) == ["0.2"]


def test_a_citation_excuses_its_own_sentence_alone():
    assert typed(f"They report 0.91 {CITED}. We find 0.92.") == ["0.92"]


def test_drawing_makes_no_settings():
    code = "ax.set(ylim=(0, 0.7))\nplt.subplots(figsize=(6.4, 3))\naxes[0].text(2, 9.1, 'a')"
    assert numbers_in_code(f"{code}\nrun(lam=0.3, names=['±15°'], n=1_000)") == {0.3, 15, 1000}


def test_code_that_is_no_python_counts_by_its_digits():
    assert numbers_in_code("%run it --rate 0.25") == {0.25}


PAGE = """\
---
file_format: mystnb
kernelspec:
  name: python3
---

# A page

A rate of 0.5 is a setting, and {given}`0.25` is none of ours. So is `0.26`, or $0.27$.

```{code-cell} python3
rate = 0.5
```

```{code-cell} python3
---
tags: [remove-cell, claim]
---
assert rate > 0.41, "It is high."
```

It gains 0.41.

```{code-cell} python3
---
mystnb:
  figure:
    name: fig-one
    caption: In the caption 0.42.
  image:
    alt: In the text for who cannot see 0.43.
---
from IPython.display import Image

Image(bytes.fromhex(DOT))
```

| column | value |
| --- | --- |
| cell | 0.44 |

:::{in-practice}
- In a list 0.45.
:::

```{predict}
question: Is it 0.46 or 0.9?
options: [It is 0.46, It is 0.9]
answer: It is 0.47, not 0.46.
```

```{quiz}
question: A unit has 0.48. What then?
options:
  - {text: It has 0.49, correct: true, feedback: "0.48 became 0.49 and 0.51."}
  - {text: None, feedback: None.}
```
""".replace(
    "DOT",
    '"89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55'
    '0000000a49444154789c63600000000200010005fe02fea70000000049454e44ae426082"',
)


@pytest.fixture(scope="module")
def warnings(build):
    return build(PAGE)[1]


def test_every_typed_result_of_a_page_is_named_and_nothing_else(warnings):
    found = re.findall(r"WARNING: (\S+) looks like a typed result", warnings)
    assert sorted(found) == ["0.41", "0.42", "0.43", "0.44", "0.45", "0.47", "0.51"]


def test_the_place_is_told(warnings):
    assert re.search(r"index\.md:2\d: WARNING: 0.41 looks like .*'It gains 0.41.'", warnings)


def test_a_page_may_be_excused_and_pages_without_cells_are(build):
    assert not build(PAGE, config={"typed_results_excused": ["index"]})[1]
    assert not build("# A page\n\nIt gains 0.41.\n")[1]
