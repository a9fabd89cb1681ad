"""Outputs of student cells are those that stock nbgrader would have saved."""

import json
import re

import nbformat
import pytest
from nbclient import NotebookClient

from fastgrade.engine.grader import Grader
from fastgrade.notebook.outputs import Outputs
from fastgrade.settings import Limits, Settings
from fastgrade.verdict import Task

pytestmark = pytest.mark.slow

CELLS = [
    "import sys, numpy as np, pandas as pd, matplotlib.pyplot as plt",
    "%matplotlib inline",
    "print('out'); print('err', file=sys.stderr); 3",
    "plt.plot([1, 2, 3]); plt.title('a line')",
    "fig, ax = plt.subplots(); ax.hist([1, 2, 2]); plt.show(); print('after')",
    "plt.imshow(np.eye(3));",
    "pd.DataFrame({'a': [1, 2], 'b': [3.5, 4]})",
    "pd.DataFrame(np.arange(60).reshape(2, 30)).add_prefix('column ')",
    "print(_)",
    "from IPython.display import HTML, Markdown, clear_output, display\ndisplay(Markdown('**x**'))",
    "handle = display(HTML('<b>1</b>'), display_id='one'); handle.update(HTML('<b>2</b>'))",
    "for i in range(3):\n    clear_output(wait=True)\n    print(i)",
    "def f(x):\n    return 1 / x",
    "f(0)",
    "x = = 3",
    "undefined",
    "input('?')",
    "sys.exit(3)",
    "_",
    "Out[3]",
    "import asyncio\nawait asyncio.sleep(0)\n4",
    "1;",
    "raise KeyboardInterrupt",
    "class A:\n    def __repr__(self):\n        return 'A!'\n    def _repr_html_(self):\n"
    "        return '<i>A</i>'\nA()",
    "assert False, 'a message'",
    "__name__",
    "print('x' * 10, end='')\nprint('y', flush=True)\nprint('z')",
    "import logging\nlogging.warning('careful')",
    "exec('raise ValueError(3)')",
    "try:\n    f(0)\nexcept ZeroDivisionError as error:\n    raise KeyError('k') from error",
    "",
    "'é∑😀'",
    "class Picture:\n    def _repr_png_(self):\n        return b'\\x89PNG' + bytes(9)\nPicture()",
    "display({'image/png': b'PNG', 'text/plain': 'x'}, raw=True, metadata={'seen': b'yes'})",
    "import datetime\nday = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)\n"
    "about = {'n': np.int64(3), 'x': np.float32(0.5), 'day': day, 'shape': (2, 3)}\n"
    "display({'application/json': about}, raw=True, metadata=about)",
    "np.random.default_rng(1).normal(size=3)",
]


def joined(outputs):
    """Streams that follow each other as one, and texts as strings, as any reader sees them."""
    kept = []
    for output in json.loads(json.dumps(outputs)):
        if "text" in output:
            output["text"] = "".join(output["text"])
            last = kept[-1] if kept else {}
            if last.get("output_type") == "stream" and last["name"] == output["name"]:
                last["text"] += output["text"]
                continue
        kept.append(output)
    return kept


def cleaned(outputs):
    text = json.dumps(joined(outputs))
    return re.sub(r"0x[0-9a-f]+|ipykernel_\d+", "…", text)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The cells executed by a stock client and kernel, and by the engine."""
    cells = [nbformat.v4.new_code_cell(text, id=f"c{i}") for i, text in enumerate(CELLS)]
    source = nbformat.v4.new_notebook(cells=cells)
    data = nbformat.writes(source).encode()
    stock = nbformat.reads(data.decode(), as_version=4)
    place = {"metadata": {"path": str(tmp_path_factory.mktemp("stock"))}}
    NotebookClient(stock, allow_errors=True, timeout=120, resources=place).execute()
    preload = ("numpy", "pandas", "matplotlib.pyplot")
    limits = Limits(cell_seconds=60)
    with Grader(Settings(preload=preload, limits=limits)) as grader:
        verdict = grader.grade(Task("ps1", "ada", "ps1", data, data))
    stock = json.loads(nbformat.writes(stock))
    return stock, json.loads(verdict.autograded), verdict


@pytest.mark.parametrize("number", range(len(CELLS)), ids=lambda i: repr(CELLS[i])[:40])
def test_a_cell_has_the_outputs_of_a_kernel(both, number):
    stock, ours, _ = both
    assert cleaned(ours["cells"][number]["outputs"]) == cleaned(stock["cells"][number]["outputs"])
    count = stock["cells"][number]["execution_count"]
    assert ours["cells"][number]["execution_count"] == count


def test_metadata_of_the_notebook_is_that_of_a_kernel(both):
    stock, ours, verdict = both
    assert ours["metadata"]["language_info"] == stock["metadata"]["language_info"]
    assert verdict.flags == ()
    nbformat.validate(nbformat.reads(verdict.autograded.decode(), as_version=4))


@pytest.mark.parametrize(
    "shown",
    [
        "{1j}",
        "float('nan')",
        "[object()]",
        "10**9999",
        "{(1, 2): np.True_, 'f': print}",
        "np.ones((2, 2))",
        "ring",
        "range(3)",
        "Bad()",
    ],
)
def test_what_json_cannot_hold_kills_no_cell(grader, shown):
    """A kernel stops at most of these; here the answer is not graded for how it is shown."""
    text = (
        "import numpy as np\nring = []\nring += [ring, ring]\nclass Bad:\n"
        "    def __repr__(self):\n        raise ValueError\n    __str__ = __repr__\n"
        f"shown = {shown}\n"
        "display({'application/json': shown, 'text/plain': 'x'}, raw=True, metadata={'a': shown})\n"
        "get_ipython().payload_manager.write_payload({'source': 'page', 'data': shown})\n"
        "print('after')"
    )
    data = nbformat.writes(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text)])
    ).encode()
    verdict = grader.grade(Task("ps1", "ada", "ps1", data, data))

    def refuse(name):
        raise ValueError(f"{name} is no JSON")

    notebook = json.loads(verdict.autograded, parse_constant=refuse)
    first, second = notebook["cells"][0]["outputs"]
    assert first["data"]["text/plain"] == ["x"]
    assert second["text"] == ["after\n"]
    assert verdict.flags == ()


@pytest.fixture(scope="module")
def grader():
    with Grader(Settings()) as grader:
        yield grader


def test_what_c_code_writes_is_caught():
    # Not compared with a kernel: under pytest a kernel does not catch it.
    cell = nbformat.v4.new_code_cell("import os\nos.write(1, b'raw\\n')\nos.write(2, b'bad\\n');")
    data = nbformat.writes(nbformat.v4.new_notebook(cells=[cell])).encode()
    with Grader(Settings()) as grader:
        verdict = grader.grade(Task("ps1", "ada", "ps1", data, data))
    first, second = json.loads(verdict.autograded)["cells"][0]["outputs"]
    assert (first["name"], first["text"]) == ("stdout", ["raw\n"])
    assert (second["name"], second["text"]) == ("stderr", ["bad\n"])


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"say": 3},
        {"say": "stream"},
        {"say": "stream", "content": []},
        {"say": "stream", "content": {"name": "stdlog", "text": "x"}},
        {"say": "stream", "content": {"name": "stdout", "text": 3}},
        {"say": "error", "content": {"ename": 1, "evalue": "x", "traceback": []}},
        {"say": "error", "content": {"ename": "x", "evalue": "x", "traceback": "x"}},
        {"say": "display_data", "content": {"data": "x"}},
        {"say": "update_display_data", "content": {"data": {}, "transient": {"display_id": []}}},
        {"say": "evil", "content": {}},
    ],
    ids=str,
)
def test_malformed_outputs_are_dropped(message):
    outputs = Outputs(1000, 1)
    outputs.take(message)
    assert outputs.finish() == []


def test_display_data_that_are_no_text_are_dropped():
    outputs = Outputs(1000, 1)
    data = {"text/plain": "x", "image/png": 3, 4: "x", "application/json": {"a": 1}}
    outputs.take({"say": "display_data", "content": {"data": data, "metadata": 7}})
    (output,) = outputs.finish()
    assert output["data"] == {"text/plain": "x", "application/json": {"a": 1}}
    assert output["metadata"] == {}


def test_no_more_than_the_cap_is_kept():
    outputs = Outputs(100, 1)
    for _ in range(50):
        outputs.stream("stdout", "x" * 30)
    assert outputs.cut
    (output,) = outputs.finish()
    assert len(output["text"]) == 100


def test_long_outputs_are_shortened_as_nbgrader_does():
    outputs = Outputs(10**6, 1)
    outputs.stream("stdout", "\n".join(map(str, range(3000))))
    outputs.error("E", "", [str(i) for i in range(300)])
    stream, error = outputs.finish()
    assert len(stream["text"].split("\n")) == 1000
    assert stream["text"].endswith("... Output truncated ...")
    assert len(error["traceback"]) == 100
