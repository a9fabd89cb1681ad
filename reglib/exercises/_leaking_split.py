"""A program to mend: a split whose validation rows are known to the training."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import BrokenCall, Finding, Mistake
from reglib.exercises._student_function import Student
from reglib.exercises._task import Aspect, Task
from reglib.textbook import overfitting as reference

_PARTS = "X_train", "X_val", "y_train", "y_val"
#: What stands where there is no row, in a table that is as long for every answer.
_NO_ROW = 1e6
#: Is added to inputs: an answer in float32 is rounded as their mean is, not as what is left of it.
_RAISED = 10


def _cases(rng: np.random.Generator, copies: int) -> Iterator[Case]:
    """Yield tables whose rows differ in part; of equal ones the labels are equal, too.

    Copies stand beside each other and apart, among the training rows, among the others and in both.
    """
    for rows, features in ((9, 2), (7, 3), (10, 1)):
        X = rng.normal(rng.uniform(2, 9, features), rng.uniform(0.5, 4, features), (rows, features))
        if features > 1:
            X[-1, 0] = X[0, 0]  # alike in one column is not alike
        y, n_train = rng.permutation(np.arange(rows) % 3), rows // 2 + 1
        order = np.arange(rows)
        if copies:
            order = np.concatenate([order, [0, 0, 1, rows - 1]])
            order = np.concatenate([[1, 1], rng.permutation(order)])
        text = (
            f"{len(order)} rows of {features} numbers, {rows} different ones, n_train = {n_train}"
        )
        yield Case((X[order], y[order], n_train), text)


def _table(student: Student, X: NDArray, y: NDArray, n_train: int) -> NDArray:
    """Return both parts below each other, each filled up to the same length, labels last."""
    found = student(X, y, n_train)
    if not isinstance(found, (tuple, list)) or len(found) != len(_PARTS):
        came = f"{len(found)} values" if isinstance(found, (tuple, list)) else "no tuple"
        raise BrokenCall(Finding(f"{student.name} returned {came}", ", ".join(_PARTS)))
    parts = [student.numbers(part, name) for part, name in zip(found, _PARTS, strict=True)]
    dimensions = [part.ndim for part in parts]
    if dimensions != [2, 2, 1, 1]:
        came = ", ".join(f"{n} of shape {p.shape}" for n, p in zip(_PARTS, parts, strict=True))
        swapped = ORDER if dimensions == [2, 1, 2, 1] else None
        raise BrokenCall(Finding(came, "X_train, X_val, y_train, y_val", swapped))
    table = np.full((2, len(X), X.shape[1] + 1), _NO_ROW)
    for rows, inputs, labels in zip(table, parts[:2], parts[2:], strict=True):
        if len(inputs) != len(labels) or len(inputs) > len(X) or inputs.shape[1] != X.shape[1]:
            came = f"X of shape {inputs.shape} beside {len(labels)} labels"
            mistake = LABELS_LEFT if len(labels) > len(inputs) else None
            raise BrokenCall(Finding(came, "a label for each row", mistake))
        rows[: len(inputs), :-1], rows[: len(inputs), -1] = inputs + _RAISED, labels
    return table


def _unscaled(student: Student, X: NDArray, y: NDArray, n_train: int) -> NDArray:
    """Return the table, its columns scaled alike in both parts whatever they were scaled by."""
    table = _table(student, X, y, n_train)
    there = table[..., -1] != _NO_ROW
    rows = table[there]
    spread = rows[:, :-1].std(axis=0)
    middle = rows[:, :-1].mean(axis=0)
    rows[:, :-1] = (rows[:, :-1] - middle) / np.where(spread, spread, 1) + _RAISED
    table[there] = rows
    return table


def _tell(table: NDArray) -> str:
    told = []
    for name, rows in zip(("training", "validation"), table, strict=True):
        rows = rows[rows[:, -1] != _NO_ROW]
        mean, spread = rows[:, :-1].mean(axis=0) - _RAISED, rows[:, :-1].std(axis=0)
        labels = ", ".join(f"{label:g}" for label in rows[:, -1])
        columns = "; ".join(f"{m:.3f} ± {s:.3f}" for m, s in zip(mean, spread, strict=True))
        told.append(f"{len(rows)} {name} rows (columns {columns}; labels {labels})")
    return " and ".join(told)


ORDER = Mistake(
    "parts in another order",
    "The labels of the training rows come second.",
    "Both inputs come first, then both labels: X_train, X_val, y_train, y_val.",
)
LABELS_LEFT = Mistake(
    "labels of dropped rows left",
    "Rows of X are gone, and their labels are still there, so that labels stand beside other rows.",
    "Choose rows once, by their places, and take X and y at these places.",
)
_FOUND = "_, first = np.unique(X, axis=0, return_index=True)\nkept = np.sort(first)"
_KEPT = "X, y = X[kept], y[kept]"
_OF_TRAINING = "X[:n_train].mean(axis=0), X[:n_train].std(axis=0)"
_SCALED = "X = (X - mean) / std"
_RESULT = "return X[:n_train], X[n_train:], y[:n_train], y[n_train:]"

SPLIT_AND_SCALE = Task(
    "split_and_scale(X, y, n_train)",
    reference=reference.split_and_scale,
    section="Leakage",
    hints=(
        "Go through the program line by line and ask: which rows does this line look at, and may "
        "it look at the validation rows?",
        "First find the places of the rows that stay (np.unique has return_index, and sorts), then "
        "split, then compute mean and standard deviation, in this order.",
    ),
    model="\n".join([_FOUND, _KEPT, f"mean, std = {_OF_TRAINING}", _SCALED, _RESULT]),
    aspects=(
        Aspect(
            "scale",
            "mean and standard deviation come from the training rows and scale both parts",
            Comparison(lambda rng: _cases(rng, copies=0), call=_table, tell=_tell),
            points=0.5,
        ),
        Aspect(
            "duplicates",
            "of equal rows the first stays, in its place and with its label",
            Comparison(lambda rng: _cases(rng, copies=4), call=_unscaled, tell=_tell),
            points=0.5,
        ),
        Aspect(
            "together",
            "with copies among the rows, both parts are those of the task, scaled",
            Comparison(lambda rng: _cases(rng, copies=4), call=_table, tell=_tell),
        ),
    ),
    mistakes=(
        Mistake(
            "scaler fitted on all rows",
            "Mean and standard deviation know the validation rows.",
            "Which rows may a program look at before it is validated?",
        ).written(
            (_OF_TRAINING, "X.mean(axis=0), X.std(axis=0)"),
            (
                (_FOUND, f"whole = X\n{_FOUND}"),
                (_OF_TRAINING, "whole.mean(axis=0), whole.std(axis=0)"),
            ),
        ),
        Mistake(
            "copies over the split",
            "Rows that occur several times are still there, some of them in both parts.",
            "Drop what occurs twice before you split.",
        ).written((_KEPT, "pass")),
        Mistake(
            "copies dropped after the split",
            "The rows were split while copies were among them: a row may still be in both parts, "
            "or twice in one.",
            "Drop what occurs twice before you split.",
        ).written(
            """
            def without_copies(X, y):
                kept = np.sort(np.unique(X, axis=0, return_index=True)[1])
                return X[kept], y[kept]

            X_train, y_train = without_copies(X[:n_train], y[:n_train])
            X_val, y_val = without_copies(X[n_train:], y[n_train:])
            mean, std = X_train.mean(axis=0), X_train.std(axis=0)
            return (X_train - mean) / std, (X_val - mean) / std, y_train, y_val
            """,
            """
            a, b, known = X[:n_train], X[n_train:], set(map(tuple, X[:n_train].tolist()))
            new = [i for i, row in enumerate(b.tolist()) if tuple(row) not in known]
            mean, std = a.mean(axis=0), a.std(axis=0)
            return (a - mean) / std, (b[new] - mean) / std, y[:n_train], y[n_train:][new]
            """,
        ),
        Mistake(
            "n_train counted with the copies",
            "No row is in both parts, but there are fewer training rows than asked for.",
            "Drop what occurs twice first; then count.",
        ).written((_KEPT, f"n_train = np.sum(kept < n_train)\n{_KEPT}")),
        Mistake(
            "scaled with the copies",
            "Mean and standard deviation are computed before copies are dropped.",
            "What scales the rows should come from the training rows as they are returned.",
        ).written(
            ((_FOUND, f"first_rows = X[:n_train]\n{_FOUND}"), ("X[:n_train].", "first_rows.")),
        ),
        Mistake(
            "each part scaled by itself",
            "The same measurement means another number in the other part.",
            "Scale new rows as the old ones were scaled: with the numbers of the training rows.",
        ).written(
            (
                _SCALED,
                "V = X[n_train:]\n"
                "X = np.concatenate([(X[:n_train] - mean) / std, (V - V.mean(0)) / V.std(0)])",
            ),
        ),
        Mistake(
            "validation rows not scaled",
            "The model would see inputs of another size than those that it has learnt from.",
            "Scale both parts.",
        ).written((_SCALED, "X = np.concatenate([(X[:n_train] - mean) / std, X[n_train:]])")),
        Mistake(
            "scaled by the validation rows",
            "Mean and standard deviation are those of the other part.",
            "Take them from the training rows.",
        ).written(("X[:n_train].", "X[n_train:].")),
        Mistake(
            "mean left in",
            "The training columns have no mean of 0.",
            "Subtract the mean, then divide.",
        ).written(("(X - mean)", "X")),
        Mistake(
            "not divided by the standard deviation",
            "The training columns have no standard deviation of 1.",
            "Subtract the mean, then divide.",
        ).written((" / std", ""), (_SCALED, "X = X - mean / std")),
        Mistake(
            "one mean for all columns",
            "All columns are scaled by the same numbers, although each has its own unit.",
            "Which axis runs over the rows?",
        ).written((_OF_TRAINING, "X[:n_train].mean(), X[:n_train].std()")),
        Mistake(
            "variance for standard deviation",
            "The columns are divided by the square of what they should be divided by.",
            "np.std is the root of np.var.",
        ).written((".std(", ".var(")),
        Mistake(
            "n - 1 in the standard deviation",
            "The task asks for np.std as it is, which divides by the number of rows.",
            "Leave out ddof.",
        ).written((".std(axis=0", ".std(axis=0, ddof=1")),
        Mistake(
            "scaled to the range",
            "The columns run from 0 to 1, as smallest and largest value decide.",
            "The task asks for mean and standard deviation.",
        ).written((_OF_TRAINING, "X[:n_train].min(axis=0), np.ptp(X[:n_train], axis=0)")),
        Mistake(
            "rows sorted",
            "np.unique puts rows in the order of their numbers: the split is not random any more.",
            "Its return_index says where each row stood first; put these places in order.",
        ).written(("np.sort(first)", "first")),
        Mistake(
            "last copy kept",
            "Of equal rows the last stays, and stands in another place.",
            "Keep the first of them.",
        ).written(
            (
                "np.sort(first)",
                "np.sort(len(X) - 1 - np.unique(X[::-1], axis=0, return_index=True)[1])",
            )
        ),
        Mistake(
            "rows dropped with all their copies",
            "Of rows that occur several times none is left.",
            "One of each should stay.",
        ).written(
            (
                "np.sort(first)",
                "[i for i in range(len(X)) if np.sum((X == X[i]).all(axis=1)) == 1]",
            )
        ),
        Mistake(
            "only neighbors compared",
            "A copy is found only where it stands directly below the other one.",
            "Compare each row with all rows before it.",
        ).written(
            (
                "np.sort(first)",
                "[i for i in range(len(X)) if i == 0 or np.any(X[i] != X[i - 1])]",
            )
        ),
        Mistake(
            "equal in one column",
            "Rows that agree in one column are dropped, although they differ in another.",
            "Two rows are equal if they agree everywhere.",
        ).written(("np.unique(X, axis=0", "np.unique(X[:, 0], axis=0")),
        Mistake(
            "parts exchanged",
            "The first n_train rows are for validation.",
            "Compare your return line with the task.",
        ).written((_RESULT, "return X[n_train:], X[:n_train], y[n_train:], y[:n_train]")),
        ORDER.written((_RESULT, "return X[:n_train], y[:n_train], X[n_train:], y[n_train:]")),
        LABELS_LEFT.written((_KEPT, "X = X[kept]")),
    ),
    right=(
        """
        seen, places = set(), []
        for place, row in enumerate(X.tolist()):
            if tuple(row) not in seen:
                seen.add(tuple(row))
                places.append(place)
        train, val = places[:n_train], places[n_train:]
        center, width = np.mean(X[train], axis=0), np.std(X[train], axis=0)
        return (X[train] - center) / width, (X[val] - center) / width, y[train], y[val]
        """,
        """
        _, index = np.unique(X, axis=0, return_index=True)
        index.sort()
        X, y = X[index].astype(np.float32), y[index]
        X_train, X_val, y_train, y_val = X[:n_train], X[n_train:], y[:n_train], y[n_train:]
        mu, sigma = X_train.mean(0), X_train.std(0)
        X_train -= mu
        X_train /= sigma
        X_val -= mu
        X_val /= sigma
        return X_train, X_val, y_train, y_val
        """,
        """
        copy = (X[:, None] == X).all(axis=2)
        new = np.tril(copy).sum(axis=1) == 1
        X, y = X[new], y[new]
        old = X[:n_train]
        X = (X - old.mean(axis=0)) / old.std(axis=0)
        return [*np.split(X, [n_train]), *np.split(y, [n_train])]
        """,
        """
        rows = list(dict.fromkeys(map(tuple, X.tolist())))
        labels = dict(zip(map(tuple, X.tolist()), y.tolist()))
        y = [labels[row] for row in rows]
        columns = []
        for column in zip(*rows):
            known = column[:n_train]
            m = sum(known) / n_train
            s = (sum((x - m) ** 2 for x in known) / n_train) ** 0.5
            columns.append([(x - m) / s for x in column])
        scaled = [list(row) for row in zip(*columns)]
        return scaled[:n_train], scaled[n_train:], y[:n_train], y[n_train:]
        """,
        """
        keep = [i for i, row in enumerate(X) if row.tolist() not in X[:i].tolist()]
        X, y = X[keep], y[keep]

        def scale(part):
            return (part - X[:n_train].mean(axis=0)) / X[:n_train].std(axis=0)

        return scale(X[:n_train]), scale(X[n_train:]), y[:n_train], y[n_train:]
        """,
    ),
)
