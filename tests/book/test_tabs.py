"""The programs in the tabs are what they say: they run, and libraries differ where they must."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "book" / "chapters"
PROGRAM = re.compile(r":sync: (\w+)\n\n```python\n(.*?)```", re.DOTALL)


def programs(chapter):
    """The programs of a chapter's tabs by library."""
    return dict(PROGRAM.findall((CHAPTERS / f"{chapter}.md").read_text(encoding="utf-8")))


def test_the_corrected_tutorial_differs_from_keras_in_imports_alone():
    tabs = programs("review")
    ours, theirs = tabs["reglib"].splitlines(), tabs["keras"].splitlines()
    differing = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    assert differing
    for a, b in differing:
        assert a.startswith("from reglib.")
        assert b == a.replace("from reglib.", "from keras.")


# What a program finds in place, and what its model must then have learnt.
CASES = {
    "02-l2": (
        """
        from reglib.datasets import noisy_moons
        data = noisy_moons(60, rng=3)
        (x, y), lam, n = data.train, 0.3, 60
        """,
        "assert model.evaluate(*data.test, verbose=0)[1] > 0.8",
    ),
    "03-l1-and-elastic-net": (
        """
        from reglib.datasets import breast_cancer_with_noise
        x, y = breast_cancer_with_noise(60, rng=0).train
        """,
        "assert (model.get_weights()[0][30:] == 0).sum() > 50",
    ),
    "review": (
        """
        import numpy as np
        from reglib.datasets import sunspots
        window_size, data = 10, sunspots(10)
        parts = [data.train, data.validation]
        x = np.concatenate([part.x for part in parts]).reshape(-1, 1, window_size)
        y, split = np.concatenate([part.y for part in parts]), 0.23
        """,
        "assert stop.best < 0.25 and len(history.epoch) < 500",
    ),
}


@pytest.mark.slow
@pytest.mark.keras
@pytest.mark.parametrize("library", ["reglib", "keras"])
@pytest.mark.parametrize("chapter", CASES)
def test_the_program_in_the_tab_runs_and_learns(chapter, library):
    before, after = CASES[chapter]
    program = "\n".join([textwrap.dedent(before), programs(chapter)[library], after])
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-2000:]
