"""A claim of a page is examined by itself, as in the book and under stress, from the same cells."""

from __future__ import annotations

import pytest
from myst_nb.core.execute.base import ExecutionError
from regbook import cells, claims
from regbook.claims import ClaimError, Verdict

HEAD = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n\n# A page\n"

PAGE = (
    HEAD
    + """
```{code-cell} python3
from reglib import experiments

def score(seed, gain=1, epochs=1):
    return {"score": seed * (epochs == 1) + gain, "epochs": epochs}

def without_length(seed):
    return seed

frame = experiments.run(score, {"one": {"gain": 1}, "two": {"gain": 2}}, seeds=3)
other = experiments.run(without_length, [{}], seeds=[4, 5])
```

```{code-cell} python3
---
tags: [remove-cell, claim]
---
mean = frame["score"].mean()
difference = experiments.differences(frame, "one", "score")["two"]
assert difference.mean() == 1, "It gains one."
assert mean > 2, "It is large."
for seed in (4, 5):
    assert seed in set(other["seed"]), f"{seed} is a seed."
assert frame["epochs"].max() == nothing, "It fails."
assert mean < 1e9, "It is small."
```

```{code-cell} python3
---
tags: [raises-exception]
---
1 / 0
```
"""
)


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    root = tmp_path_factory.mktemp("claims")
    path = root / "01-page.md"
    path.write_text(PAGE, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claims, "RESULTS", root / "results")
        patch.setattr(cells, "BUILD", root / "_build")
        found = [claims.examine(path, stress=stress) for stress in (False, True)]
    return root, *found


def verdicts(report):
    return {one.sentence: one.verdict for one in report.examined}


def test_a_claim_that_falls_hides_no_other(reports):
    _, book, stress = reports
    expected = {
        "It gains one.": Verdict.HOLDS,
        "It is large.": Verdict.HOLDS,
        "4 is a seed.": Verdict.HOLDS,
        "5 is a seed.": Verdict.HOLDS,
        "It fails.": Verdict.FAILS,
        "It is small.": Verdict.HOLDS,
    }
    assert verdicts(book) == expected
    fallen = {"It is large.": Verdict.FALLS, "4 is a seed.": Verdict.FALLS}
    assert verdicts(stress) == expected | fallen | {"5 is a seed.": Verdict.FALLS}


def test_results_under_stress_are_kept_apart(reports):
    root, _, _ = reports
    for folder in (root / "results", root / "_build" / "stress"):
        assert len(list((folder / "01-page").glob("*.jsonl"))) == 2
    book, stress = (
        (folder / "01-page").glob("score-*.jsonl").__next__().read_text(encoding="utf-8")
        for folder in (root / "results", root / "_build" / "stress")
    )
    assert '"seed": 1002' in stress
    assert '"epochs": 4.0' in stress
    assert '"seed": 1002' not in book
    assert '"epochs": 1.0' in book


def test_the_table_says_what_holds_and_what_stress_could_not_lengthen(reports):
    _, book, stress = reports
    lines = claims.table("01-page", book, stress).splitlines()
    words = [line.split("  ") for line in lines]
    rows = {word[0]: [w.strip() for w in word[1:] if w.strip()] for word in words}
    assert rows["01-page"] == ["in the book", "under stress"]
    assert rows["It is large."] == ["holds", "FALLS"]
    assert rows["It fails."] == ["FAILS", "FAILS"]
    assert "It fails.: NameError: name 'nothing' is not defined" in lines
    assert lines[-1] == "no epochs or steps to multiply: without_length"


def test_a_cell_that_fails_is_told(tmp_path, monkeypatch):
    path = tmp_path / "01-page.md"
    path.write_text(HEAD + "\n```{code-cell} python3\nx = 1 / 0\n```\n", encoding="utf-8")
    monkeypatch.setattr(cells, "BUILD", tmp_path)
    (found,) = claims.examine(path, stress=True).examined
    assert (found.sentence, found.verdict) == ("the cell 'x = 1 / 0'", Verdict.FAILS)
    assert "ZeroDivisionError" in found.reason


def test_a_false_claim_stops_the_build(build):
    head = "```{code-cell} python3\n---\ntags: [remove-cell, claim]\n---\n"
    with pytest.raises(ExecutionError) as failure:
        build(f'{HEAD}\n{head}assert 1 > 2, "It is."\n```\n')
    assert "It is." in str(failure.value.__cause__).splitlines()[-1]


def test_a_claim_needs_a_sentence():
    with pytest.raises(ClaimError, match="needs a sentence: assert a > 1"):
        claims.statements("if a:\n    assert a > 1")


@pytest.mark.parametrize("path", cells.chapters(), ids=lambda path: path.stem)
def test_the_claims_of_each_chapter_can_be_examined_one_by_one(path):
    assert claims.separated(cells.read(path)).cells


def test_an_unknown_chapter_is_named():
    with pytest.raises(ValueError, match="no chapter '99-none'; there are 00-overfitting"):
        cells.chapters(["99-none"])
