"""Results are stated under names as texts; the best of a grid is not at its edge."""

import math

import pytest
from IPython.core.formatters import DisplayFormatter

from reglib.experiments import best, run, state
from reglib.experiments.stated import RESULTS


@pytest.fixture
def shown(monkeypatch):
    """What is displayed, with its metadata."""
    found = []

    def display(bundle, raw, metadata):
        assert raw
        found.append((bundle, metadata))

    monkeypatch.setattr("IPython.display.display", display)
    return found


def test_names_and_texts_are_among_the_outputs_as_they_are(shown):
    state(gain="−0.03 [−0.05, .01]", best="λ < 1 & more")
    ((bundle, metadata),) = shown
    assert bundle[RESULTS] == {"gain": "−0.03 [−0.05, .01]", "best": "λ < 1 & more"}
    assert metadata["scrapbook"]["name"] == "gain best"


def test_a_notebook_shows_a_table(shown):
    state(gain="0.5", best="λ < 1 & more")
    ((bundle, _),) = shown
    assert "<td>best</td><td>λ &lt; 1 &amp; more</td>" in bundle["text/html"]
    assert bundle["text/plain"] == "gain: 0.5\nbest: λ < 1 & more"
    assert "text/html" in DisplayFormatter().format_types


def test_without_ipython_it_is_printed(monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "IPython.display", None)
    state(gain="0.5")
    assert capsys.readouterr().out == "gain: 0.5\n"


@pytest.mark.parametrize(
    ("results", "error", "message"),
    [
        ({"gain": 0.5}, TypeError, r'gain must be a text.*got 0.5; format it: f"\{gain:.3f\}"'),
        ({"gain": None}, TypeError, "gain must be a text"),
        ({"gain": f"{math.nan:.2f}"}, ValueError, "gain must be finite, got 'nan'"),
        ({"gain": f"{-math.inf} %"}, ValueError, "gain must be finite"),
        ({"gain": "0.1 [nan, nan]"}, ValueError, "gain must be finite"),
        ({"gain": " "}, ValueError, "gain must say something"),
        ({"Gain": "1"}, ValueError, "name must be of lower-case letters, digits and _, got 'Gain'"),
        ({"my gain": "1"}, ValueError, "got 'my gain'"),
        ({}, ValueError, "needs a result"),
    ],
)
def test_what_cannot_be_read_is_refused(shown, results, error, message):
    with pytest.raises(error, match=message):
        state(**results)
    assert not shown


def test_words_that_contain_those_of_no_number_are_words(shown):
    state(a="finance", b="banana", c="noninferior")
    assert shown


# The best of a grid


def off(seed, x, y=0.0, at=2):
    return {"loss": abs(x - at) + abs(y - at) + seed, "gain": -abs(x - at)}


def grid(values, **more):
    return run(off, {x: {"x": x, **more} for x in values}, seeds=2)


def test_the_best_mean_wins_small_or_large():
    assert best(grid([1, 2, 3]), "loss") == 2
    assert best(grid([1, 2, 3]), "gain", largest=True) == 2


@pytest.mark.parametrize("values", [[2, 3, 4], [0, 1, 2], [4, 3, 2]])
def test_an_edge_is_never_chosen(values):
    with pytest.raises(ValueError, match=r"lies at an edge of the grid, 2 of .*: widen it"):
        best(grid(values), "loss")


def test_there_is_nothing_below_zero():
    assert best(grid([0, 1, 2], at=0), "loss") == 0


def test_a_grid_of_two_arguments_has_two_edges_each():
    def frame(xs, ys):
        return run(off, {(x, y): {"x": x, "y": y} for x in xs for y in ys}, seeds=2)

    assert best(frame([1, 2, 3], [1, 2, 3]), "loss") == (2, 2)
    assert best(frame([1, 2, 3], [2]), "loss") == (2, 2)
    with pytest.raises(ValueError, match=r"2 of \[2, 3\]"):
        best(frame([1, 2, 3], [2, 3]), "loss")


def test_a_setting_that_came_to_nothing_is_told():
    frame = run(lambda seed, x: math.nan if x == 3 else x, {x: {"x": x} for x in (1, 2, 3)}, 2)
    with pytest.raises(ValueError, match="finite 'score' of every setting"):
        best(frame, "score")


# Under stress


def lengths(seed, rate=0.1, epochs=10, steps=None):
    return {"seed_": seed, "epochs": epochs, "steps": steps or 0}


def test_stress_takes_other_seeds_and_four_times_the_training(monkeypatch):
    settings = {"default": {}, "given": {"epochs": 3, "steps": 2.5}}
    monkeypatch.setenv("REGLIB_STRESS", "1")
    frame = run(lengths, {k: {"steps": 1} | v for k, v in settings.items()}, seeds=2)
    assert frame["seed"].tolist() == [1000, 1001] * 2
    assert frame["epochs"].tolist() == [40, 40, 12, 12]
    assert frame["steps"].tolist() == [4, 4, 10, 10]
    assert run(lambda seed: seed, [{}], seeds=[5, 9])["seed"].tolist() == [1005, 1009]


def test_stress_multiplies_numbers_alone(monkeypatch):
    monkeypatch.setenv("REGLIB_STRESS", "1")
    with pytest.raises(TypeError, match="steps must be a number to be multiplied under stress"):
        run(lengths, [{"steps": [1, 2]}], seeds=2)


def test_without_stress_nothing_changes(monkeypatch):
    monkeypatch.setenv("REGLIB_STRESS", "")
    assert run(lengths, [{}], seeds=2)[["seed", "epochs"]].to_numpy().tolist() == [[0, 10], [1, 10]]
