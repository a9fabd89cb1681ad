"""Answers that share passages are found whatever they are disguised as, and others are not."""

import random
import tracemalloc

import pytest

from fastgrade.batch.similar import similar
from reglib.exercises import dropout, gradients, l1, l2
from reglib.exercises._task import Task

STUB = "def fit(x, y):\n    raise NotImplementedError\n"
ANSWER = '''
def fit(x, y):
    """Gradient descent on a line."""
    slope, offset = 0.0, 0.0
    for step in range(100):
        error = slope * x + offset - y
        slope -= 0.1 * (error * x).mean()
        offset -= 0.1 * error.mean()
    return slope, offset


def report(x, y, digits=3):
    slope, offset = fit(x, y)
    residual = y - slope * x - offset
    spread = np.sqrt((residual ** 2).sum() / (len(y) - 2))
    print(f"{slope:.{digits}f} and {offset:.{digits}f}, give or take {spread:.{digits}f}")
    return {"slope": slope, "offset": offset, "spread": spread}
'''
RENAMED = """
# my own work
def report(a, b, places=3):  # nicely printed
    m, c = fit(a, b)
    rest = b - m * a - c
    width = np.sqrt((rest ** 2).sum() / (len(b) - 2))

    print(f"{m:.{places}f} and {c:.{places}f}, give or take {width:.{places}f}")
    return {"m": m, "c": c, "width": width}

def fit(a, b):
    m, c = 0.0, 0.0
    for i in range(100):
        # how far off
        delta = m * a + c - b
        c -= 0.1 * delta.mean()
        m -= 0.1 * (delta * a).mean()
    return m, c
"""
OTHER = """
def fit(x, y):
    design = np.stack([x, np.ones_like(x)], axis=1)
    return tuple(np.linalg.lstsq(design, y, rcond=None)[0])


def report(x, y, digits=3):
    found = dict(zip(("slope", "offset"), fit(x, y)))
    found["spread"] = float(np.std(y - np.polyval(list(found.values()), x), ddof=2))
    for name, value in found.items():
        print(name, round(value, digits))
    return found
"""


def pairs(answers, known=()):
    return [pair.students for pair in similar(answers, known)]


def test_renamed_commented_and_moved_code_is_found_and_its_lines_are_named():
    answers = {"ada": ANSWER, "bob": RENAMED, "cyd": OTHER}
    (pair,) = similar(answers, [STUB])
    assert pair.students == ("ada", "bob")
    assert pair.share > 0.5
    for text, lines in zip((ANSWER, RENAMED), pair.lines, strict=True):
        named = "\n".join(text.splitlines()[number] for number in sorted(lines))
        assert "np.sqrt" in named
        assert "    for " in named


def test_two_right_answers_to_a_short_function_are_not_found():
    short = "def soft_threshold(w, t):\n    return np.sign(w) * np.maximum(np.abs(w) - t, 0)\n"
    assert not pairs({"ada": short, "bob": short.replace("w", "v")})


@pytest.mark.parametrize("assignment", [l1, l2, dropout, gradients])
def test_of_right_answers_in_several_styles_only_the_copy_is_found(assignment):
    tasks = [one for one in vars(assignment).values() if isinstance(one, Task)]
    number = min(len(task.right) for task in tasks)
    assert number >= 5
    answers = {
        f"student {i}": "\n\n".join(
            text if (text := task.right[i]).startswith("def ") else f"def {task.signature}:\n{text}"
            for task in tasks
        )
        for i in range(number)
    }
    assert not pairs(answers)
    answers["the copy"] = "# mine\n" + answers["student 0"].replace("weights", "w")
    assert pairs(answers) == [("student 0", "the copy")]


def test_what_was_given_out_and_what_many_wrote_counts_for_nobody():
    assert not pairs({"ada": ANSWER, "bob": RENAMED}, [ANSWER])
    assert not pairs({f"student {i}": f"{ANSWER}\nx = {i}" for i in range(20)})


def test_code_that_is_no_python_is_compared_as_far_as_it_is():
    broken = "%matplotlib inline\n" + ANSWER + "\nprint((("
    assert pairs({"ada": broken, "bob": RENAMED}) == [("ada", "bob")]
    for text in ("", "!ls\n", "\t\n  x\n y", '"""', "\0", "é = 1\n" * 5):
        assert not pairs({"ada": text, "bob": text + " "})


def test_unequal_lengths_are_measured_by_the_shorter_one():
    draw = random.Random(0)
    more = "\n".join(f"z{i} = q({draw.random():.3f}) + {draw.random():.3f} * k" for i in range(60))
    (pair,) = similar({"ada": ANSWER, "bob": ANSWER + more})
    assert pair.share > 0.9


def test_a_large_class_needs_no_table_of_all_pairs():
    answers = {str(number): f"total = {number}" for number in range(4000)}
    tracemalloc.start()
    try:
        assert similar(answers) == []
        assert tracemalloc.get_traced_memory()[1] < 16 << 20  # a byte a pair is as much
    finally:
        tracemalloc.stop()
