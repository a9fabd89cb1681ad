"""Results are kept by content: what can change one computes it again, and nothing else does."""

import functools
import importlib.util
import json
import linecache
import math
import subprocess
import sys
import textwrap
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy import special

from reglib import _content
from reglib._content import content
from reglib._result_cache import ResultCache
from reglib._sources import Library, bare
from reglib.experiments import run
from reglib.layers import Dense
from reglib.models import Sequential
from reglib.regularizers import L2


def noisy(seed, shift=0.0):
    return {"loss": np.random.default_rng(seed).normal() + shift, "seen": 1}


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Return a function that writes a module's text to a file and imports it afresh."""

    def write(text):
        path = tmp_path / "experiment.py"
        path.write_text(textwrap.dedent(text))
        spec = importlib.util.spec_from_file_location("experiment", path)
        module = importlib.util.module_from_spec(spec)
        linecache.clearcache()
        monkeypatch.setitem(sys.modules, "experiment", module)
        spec.loader.exec_module(module)
        return module

    return write


def counted(seed, log, k=1):
    with open(log, "a") as file:
        file.write(f"{seed} {k}\n")
    return {"value": seed * k + 0.1}


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def test_cached_results_equal_fresh_ones_and_are_not_computed_again(log, cache):
    settings = {"two": {"k": 2, "log": log}, "three": {"k": 3, "log": log}}
    fresh = run(counted, settings, 3)
    first = run(counted, settings, 3, cache=cache)
    second = run(counted, settings, 3, cache=cache)
    pd.testing.assert_frame_equal(first, fresh)
    pd.testing.assert_frame_equal(second, fresh)
    assert len(log.read_text().splitlines()) == 6 + 6


def test_only_what_is_new_is_computed(log, cache):
    run(counted, {"two": {"k": 2, "log": log}}, 3, cache=cache)
    log.unlink()
    settings = {"two": {"k": 2, "log": log}, "four": {"k": 4, "log": log}}
    run(counted, settings, [2, 3], cache=cache)
    assert log.read_text().splitlines() == ["3 2", "2 4", "3 4"]


def test_the_cache_holds_plain_json(log, cache):
    run(counted, [{"log": log}], 1, cache=cache)
    (path,) = cache.iterdir()
    assert path.name.startswith("counted-")
    assert path.suffix == ".jsonl"
    (line,) = path.read_text().splitlines()
    entry = json.loads(line)
    assert (entry["setting"], entry["seed"]) == (f"log={log}", 0)
    assert entry["rows"] == [{"value": 0.1}]


def test_the_environment_names_a_cache(cache, monkeypatch):
    monkeypatch.setenv("REGLIB_CACHE", str(cache))
    run(noisy, [{}], 1)
    assert len(list(cache.iterdir())) == 1


def test_nothing_is_written_unless_asked(tmp_path, monkeypatch):
    monkeypatch.delenv("REGLIB_CACHE", raising=False)
    monkeypatch.chdir(tmp_path)
    run(noisy, [{}], 1)
    assert list(tmp_path.iterdir()) == []


def cut_short(text):
    return text[:-8]


def one_digit_changed(text):
    return text.replace('"value": 2.1', '"value": 2.2')


def a_key_changed(text):
    lines = text.splitlines()
    wrong = lines[2].replace(json.loads(lines[2])["key"], json.loads(lines[1])["key"])
    return "\n".join([lines[0], lines[1], wrong, ""])


def no_json(text):
    return text.replace('{"setting"', '["setting"', 3).replace('["setting"', '{"setting"', 2)


@pytest.mark.parametrize("damage", [cut_short, one_digit_changed, a_key_changed, no_json])
def test_a_damaged_result_is_noticed_and_computed_again(log, cache, damage):
    settings = [{"log": log}]
    run(counted, settings, 3, cache=cache)
    (path,) = cache.iterdir()
    before = path.read_text()
    assert damage(before) != before
    path.write_text(damage(before))
    log.unlink()
    with pytest.warns(UserWarning, match="held 1 damaged results"):
        frame = run(counted, settings, 3, cache=cache)
    assert frame["value"].tolist() == [0.1, 1.1, 2.1]
    assert log.read_text().splitlines() == ["2 1"]
    assert path.read_text() == before
    run(counted, settings, 3, cache=cache)
    assert log.read_text().splitlines() == ["2 1"]


def test_a_file_that_lost_its_last_newline_is_whole_again_with_the_next_result(log, cache):
    run(counted, [{"log": log}], 2, cache=cache)
    (path,) = cache.iterdir()
    path.write_text(path.read_text().rstrip())
    for _ in range(2):
        run(counted, [{"log": log}], 3, cache=cache)
    assert log.read_text().splitlines() == ["0 1", "1 1", "2 1"]


def test_a_log_says_what_was_computed(log, cache, tmp_path, monkeypatch):
    monkeypatch.setenv("REGLIB_RUN_LOG", str(tmp_path / "runs"))
    run(counted, [{"log": log}], 2, cache=cache)
    run(counted, [{"log": log}], 3, cache=cache)
    (path,) = cache.iterdir()
    path.write_text(cut_short(path.read_text()))
    run(counted, [{"log": log}], 3, cache=cache)
    lines = [json.loads(line) for line in (tmp_path / "runs").read_text().splitlines()]
    names = ("experiment", "runs", "computed", "damaged")
    assert [tuple(line[name] for name in names) for line in lines] == [
        ("counted", 2, 2, 0),
        ("counted", 3, 1, 0),
        ("counted", 3, 1, 1),
    ]


def test_not_a_number_survives_the_cache(tmp_path):
    for _ in range(2):
        frame = run(lambda seed: {"loss": math.nan, "top": math.inf}, [{}], 1, cache=tmp_path)
        assert math.isnan(frame["loss"][0])
        assert frame["top"][0] == math.inf


CHANGES = {
    "the function's own source": ("FACTOR * helper(seed)", "FACTOR * helper(seed) + 1"),
    "a function that it calls": ("return seed + 1", "return seed + 2"),
    "a number that it reads": ("FACTOR = 2", "FACTOR = 3"),
    "an array that it reads": ("np.arange(3)", "np.arange(4)"),
    "a method of a class that it uses": ("return 5", "return 6"),
    "a default that it has": ("seed, k=1", "seed, k=2"),
}


@pytest.mark.parametrize(("old", "new"), CHANGES.values(), ids=CHANGES.keys())
def test_a_change_that_can_change_results_computes_them_again(load, cache, old, new):
    text = """
        import numpy as np
        FACTOR = 2
        DATA = np.arange(3)
        class Model:
            def score(self):
                return 5
        def helper(seed):
            return seed + 1
        def experiment(seed, k=1):
            return FACTOR * helper(seed) + k + len(DATA) + sum(Model().score() for _ in [1])
    """
    assert old in text
    before = run(load(text).experiment, [{}], 1, cache=cache)
    same = run(load(text).experiment, [{}], 1, cache=cache)
    after = run(load(text.replace(old, new)).experiment, [{}], 1, cache=cache)
    assert before["score"][0] == same["score"][0] != after["score"][0]
    assert len(list(cache.iterdir())) == 2


def test_a_change_elsewhere_in_the_file_computes_nothing_again(load, tmp_path):
    text = "def experiment(seed):\n    return seed\n"
    for more in ("", "OTHER = 1\n"):
        run(load(text + more).experiment, [{}], 1, cache=tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 1


USES = """
    import numpy as np
    from reglib import regularizers
    from reglib.regularizers import L2
    def by_class(seed):
        return L2(0.1)(np.ones(2))
    def by_module(seed):
        return regularizers.L2(0.1)(np.ones(2))
    def by_import_inside(seed):
        from reglib import regularizers
        return regularizers.L2(0.1)(np.ones(2))
"""


@pytest.fixture
def edited(monkeypatch):
    """A function that gives content while one file of reglib reads differently."""

    def edited(thing, name, change):
        real = _content._bare_text

        def text(path):
            before = path.read_text(encoding="utf-8") if path.suffix == ".py" else ""
            changed = path == _content.LIBRARY / name
            assert not changed or change(before) != before
            return bare(change(before)) if changed else real(path)

        _content._used.cache_clear()
        with monkeypatch.context() as patch:
            patch.setattr(_content, "_bare_text", text)
            found = content(thing)
        _content._used.cache_clear()
        return found

    return edited


@pytest.mark.parametrize("use", ["by_class", "by_module", "by_import_inside"])
def test_the_modules_of_reglib_that_a_function_uses_count_and_no_others(load, edited, use):
    function = getattr(load(USES), use)
    before = content(function)

    def add(text):
        return text + "\nMORE = 1\n"

    assert edited(function, "regularizers.py", add) != before
    assert edited(function, "_arguments.py", add) != before  # regularizers import it
    assert edited(function, "plotting/comparisons.py", add) == before
    assert edited(function, "layers/core.py", add) == before
    assert edited(function, "_result_cache.py", add) == before


def test_the_package_on_the_way_to_a_class_counts_by_its_own_text_alone(load, edited):
    text = "from reglib.layers import Dense\ndef experiment(seed):\n    return Dense(2)\n"
    function = load(text).experiment
    before = content(function)

    def add(text):
        return text + "\nMORE = 1\n"

    assert edited(function, "layers/core.py", add) != before
    assert edited(function, "layers/__init__.py", add) != before
    assert edited(function, "layers/gated.py", add) == before


def test_comments_and_docstrings_of_reglib_do_not_count(load, edited):
    function = load(USES).by_class
    before = content(function)
    assert edited(function, "regularizers.py", lambda text: "# more\n" + text) == before
    assert edited(
        function, "regularizers.py", lambda text: text.replace('"""', '"""More. ', 1)
    ) == (before)


def test_data_count_where_a_module_names_them():
    library = Library(_content.LIBRARY)
    used = {path.name for path in library.files_used("reglib.datasets")}
    assert {"datasets.py", "digits.npz", "sunspots.npz"} <= used
    assert not {"README.md", "notebook.ipynb", "l2.py"} & used
    used = {path.name for path in library.files_used("reglib.textbook.sparsity")}
    assert "sparsity.py" in used
    assert not {"network.py", "digits.npz"} & used


@pytest.mark.parametrize(
    ("other", "same"),
    [("2.3.9", True), ("2.4.0", False), ("3.3.0", False)],
)
def test_of_numpys_version_the_first_two_numbers_count(monkeypatch, other, same):
    monkeypatch.setattr(np, "__version__", "2.3.1")
    before = content(noisy)
    monkeypatch.setattr(np, "__version__", other)
    assert (content(noisy) == before) is same


@pytest.mark.parametrize(
    "value", [0.1, np.float64(0.1), 1e-300, np.geomspace(0.003, 0.6, 40), np.array([1 + 2j])]
)
def test_the_last_bits_of_a_number_do_not_count(value):
    assert value * (1 + 4e-16) is not value
    assert content(value) == content(value * (1 + 4e-16))
    assert content(value) != content(value * (1 + 1e-9))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.0])
def test_numbers_that_are_none_have_keys_of_their_own(value):
    others = [math.nan, math.inf, -math.inf, 0.0, 1.0]
    assert sum(content(value) == content(other) for other in others) == 1


def test_two_lambdas_in_one_line_are_two_functions(load):
    first, second = load("pair = [lambda seed: seed + 1, (lambda seed: seed + 2)]").pair
    frame = run(lambda seed, f: f(seed), {"one": {"f": first}, "two": {"f": second}}, 1)
    assert frame["score"].tolist() == [1.0, 2.0]
    assert content(first) != content(second)


def test_a_lambda_is_the_same_wherever_it_stands(load):
    one = load("f = lambda seed: (\n    seed\n)").f
    key = content(one)
    assert content(load("x = 1\nf = [1, lambda seed: (\n    seed\n)][1]").f) == key
    assert content(load("f = (lambda k: lambda seed: k)(1)").f) != key


def test_an_attribute_is_no_global_of_the_same_name(load):
    text = (
        "import pandas as pd\nmean = pd.DataFrame()\ndef experiment(seed):\n    return x.mean()\n"
    )
    assert content(load(text + "x = 1").experiment) != content(load(text + "x = 2").experiment)


def test_what_functools_keeps_is_looked_into(load):
    text = (
        "import functools\n@functools.cache\ndef f():\n    return {}\ndef g(seed):\n    return f()"
    )
    assert content(load(text.format(1)).g) != content(load(text.format(2)).g)


def test_weights_of_a_model_and_the_object_of_a_method_count():
    models = [Sequential([Dense(2, name="only")], seed=0, name="one") for _ in range(3)]
    for model in models:
        model(np.ones((1, 2)))
    models[2].set_weights([w + 1 for w in models[2].get_weights()])
    assert content(models[0]) == content(models[1]) != content(models[2])
    assert content(L2(0.1).gradient) != content(L2(0.2).gradient)


def test_functions_and_classes_of_a_notebook_are_looked_into(cache):
    cells = """
from IPython.core.interactiveshell import InteractiveShell
from pathlib import Path
shell = InteractiveShell.instance()
define = "from reglib.experiments import run\\nclass Model:\\n    def score(self): return {}"
call = "print(run(lambda seed: Model().score(), [{}], 1, cache=CACHE)['score'][0])"
for number in (5, 5, 6):
    shell.user_ns["CACHE"] = Path(PATH)
    shell.run_cell(define.format(number)).raise_error()
    shell.run_cell(call).raise_error()
"""
    code = f"PATH = {str(cache)!r}\n{cells}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["5.0", "5.0", "6.0"], done.stderr
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize(
    "method",
    [
        "@property\n    def score(self): return {}",
        "@functools.cached_property\n    def score(self): return {}",
        "@staticmethod\n    def score(): return {}",
        "@classmethod\n    def score(cls): return {}",
    ],
)
def test_what_a_class_of_a_notebook_wraps_is_looked_into(cache, method):
    cells = """
import functools
from IPython.core.interactiveshell import InteractiveShell
from reglib.experiments import run
shell = InteractiveShell.instance()
for number in (5, 5, 6):
    shell.user_ns |= {"CACHE": PATH, "functools": functools, "run": run}
    shell.run_cell("class Model:\\n    " + METHOD.format(number)).raise_error()
    call = "def score(seed):\\n    got = Model().score\\n    return got() if callable(got) else got"
    shell.run_cell(call).raise_error()
    shell.run_cell("print(run(score, [{}], 1, cache=CACHE)['score'][0])").raise_error()
"""
    code = f"PATH = {str(cache)!r}\nMETHOD = {method!r}\n{cells}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["5.0", "5.0", "6.0"], done.stderr


@dataclass
class Options:
    rate: float


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (1, 2),
        (1, 1.0),
        ("a", b"a"),
        ([1, [2]], [[1], 2]),
        ((1, 2), [1, 2]),
        (np.zeros(3), np.zeros(4)),
        (np.zeros(2), np.zeros(2, dtype="float32")),
        ({"a": 1}, {"a": 2}),
        ({1, 2}, {1, 3}),
        (L2(0.1), L2(0.2)),
        (Options(0.1), Options(0.2)),
        (functools.partial(noisy, shift=1), functools.partial(noisy, shift=2)),
        (len, sum),
        (np.sin, np.cos),
        (special.expit, special.ndtr),
    ],
)
def test_different_arguments_have_different_keys(first, second):
    def key(value):
        return ResultCache.key({"value": value}, 0)

    assert key(first) == key(first)
    assert key(first) != key(second)


def test_equal_sets_have_one_key_whatever_their_order():
    first, second = {0, 8}, {8, 0}  # these collide, so that order of insertion shows
    assert list(first) != list(second)
    key = ResultCache.key
    assert key({"value": first}, 0) == key({"value": second}, 0)


def test_the_cache_says_what_it_cannot_look_into(tmp_path):
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(TypeError, match="cannot look into a DataFrame"):
        run(lambda seed: len(frame), [{}], 1, cache=tmp_path)
    names = {}
    exec("def unseen(seed): return seed", names)
    with pytest.raises(ValueError, match="needs the source of unseen"):
        run(names["unseen"], [{}], 1, cache=tmp_path)
