"""The page says of an answer what the notebook and the grader say of it."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from tests.book.live import verdicts

#: All listed answers instead of one of each kind: a minute of CPU here, three under Pyodide.
EVERY = bool(os.environ.get("EVERY_ANSWER"))


@pytest.mark.slow
def test_every_contract_gives_the_same_points_and_names_under_pyodide(in_pyodide):
    state = np.random.get_state()  # noqa: NPY002 - a wrong answer may move it
    here = verdicts.table(EVERY)
    np.random.set_state(state)  # noqa: NPY002
    there = json.loads(in_pyodide(Path(verdicts.__file__), given=json.dumps(EVERY)))
    assert len(here) > 500
    assert there == here
