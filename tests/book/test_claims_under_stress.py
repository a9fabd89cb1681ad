"""Each claim of the book holds with other seeds and four times the training: `make claims`."""

from __future__ import annotations

import pytest
from regbook import cells, claims
from regbook.claims import Verdict

CHAPTERS = cells.chapters()


@pytest.mark.slow
@pytest.mark.stress
@pytest.mark.parametrize("path", CHAPTERS, ids=[path.stem for path in CHAPTERS])
def test_every_claim_holds_under_stress(path, capsys):
    book, stress = (claims.examine(path, stress=stress) for stress in (False, True))
    with capsys.disabled():
        print(f"\n{claims.table(path.stem, book, stress)}")
    found = [*book.examined, *stress.examined]
    assert not [one.sentence for one in found if one.verdict is not Verdict.HOLDS]
