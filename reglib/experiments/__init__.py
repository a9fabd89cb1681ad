"""Experiments over seeds: run them, keep their results, and tell effects from noise.

An experiment is a function of a seed and of a setting's arguments that returns metrics.
:func:`run` calls it for every setting with the same seeds (common random numbers): where data,
initial weights and batches follow the seed, two settings differ in nothing but themselves, and
:func:`paired_differences` sees effects that an unpaired comparison would lose in the spread.

>>> import numpy as np
>>> def score(seed, shift=0.0):
...     return {"accuracy": np.random.default_rng(seed).normal(0.9, 0.02) + shift}
>>> frame = run(score, {"plain": {}, "better": {"shift": 0.01}}, seeds=5)
>>> frame.shape
(10, 3)
>>> paired_differences(frame, "plain", "accuracy").loc["better", "mean"].round(6)
np.float64(0.01)
"""

from reglib.experiments.comparisons import best as best
from reglib.experiments.comparisons import confidence_interval as confidence_interval
from reglib.experiments.comparisons import difference_table as difference_table
from reglib.experiments.comparisons import differences as differences
from reglib.experiments.comparisons import paired_differences as paired_differences
from reglib.experiments.comparisons import require_columns as require_columns
from reglib.experiments.comparisons import summary as summary
from reglib.experiments.comparisons import table as table
from reglib.experiments.runs import run as run
from reglib.experiments.stated import state as state
