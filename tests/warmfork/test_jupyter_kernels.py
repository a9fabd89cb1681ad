"""Warm kernels: the outputs of plain ones, sooner; and plain ones where warm ones cannot be."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner
from nbclient import NotebookClient

from tests.processes import kill_family
from warmfork import jupyter_kernels

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not hasattr(os, "pidfd_open"), reason="warm kernels need Linux; others get plain ones"
    ),
]

PRELOAD = "matplotlib.pyplot,pandas"

CELLS = [
    "print('to stdout')",
    "import sys\nprint('to stderr', file=sys.stderr)",
    "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.title('A figure');",
    "fig, ax = plt.subplots(figsize=(3, 2))\nax.bar(['a', 'b'], [1, 2])\nfig",
    "import pandas as pd\nframe = pd.DataFrame({'loss': [0.5, 0.25], 'seed': [1, 2]})\nframe",
    "wide = pd.DataFrame({f'a long name {n}': [n / 7] for n in range(9)})\nwide",
    "pd.DataFrame({f'column {n}': [n] for n in range(30)})",
    "frame.plot('seed', 'loss');",
    "from IPython.display import HTML, Markdown, display\n"
    "display(Markdown('**bold**'))\nHTML('<i>x</i>')",
    "import numpy as np\nnp.random.default_rng(0).normal(size=3)",
    "import os\nprint(os.environ['COURSE'], os.path.basename(os.getcwd()), __name__)",
    "print(sys.argv[0].rsplit('/', 1)[-1], sys.argv[1], sys.path[-3:], '' in sys.path[:1])",
    "import warnings\nwarnings.warn('a warning of the student', stacklevel=1)",
    "%matplotlib inline\n%config InlineBackend.figure_formats = ['svg']\nlen(plt.get_fignums())",
    "class Point:\n    pass\n\nimport pickle\ntype(pickle.loads(pickle.dumps(Point()))).__module__",
    "import subprocess\nsubprocess.run(['echo', 'child'], check=True, capture_output=True).stdout",
    "!echo from the shell",
    "import threading\nthread = threading.Thread(target=print, args=('from a thread',))\n"
    "thread.start()\nthread.join()",
    "def fall(depth):\n    return 1 / depth if depth == 0 else fall(depth - 1)\n\nfall(2)",
    "%time 1 + 1;\n%who_ls",
]


def notebook(*cells: str) -> nbformat.NotebookNode:
    """A notebook with these cells."""
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])


def joined(pieces: list) -> list:
    """Outputs with what was printed in one piece: a busy machine sends it in several."""
    whole: list = []
    for piece in map(dict, pieces):
        last = whole[-1] if whole else {}
        if piece["output_type"] == "stream" and piece["name"] == last.get("name"):
            last["text"] += piece["text"]
        else:
            whole.append(piece)
    return whole


def printed(executed: nbformat.NotebookNode) -> str:
    """What the first cell printed."""
    return joined(executed.cells[0].outputs)[0]["text"]


def outputs(executed: nbformat.NotebookNode) -> list:
    """What the cells gave, without what differs from run to run in any kernel."""

    def plain(value):
        if isinstance(value, str):
            value = re.sub(r"\x1b\[[0-9;]*m", "", value)
            value = re.sub(r"ipykernel_\d+", "ipykernel_N", value)
            value = re.sub(r"0x[0-9a-f]{6,}", "0xADDRESS", value)
            return re.sub(r"(times|time): .*", r"\1", value)
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, list):
            return [plain(item) for item in value]
        return value

    return [plain(joined(cell.outputs)) for cell in executed.cells]


@pytest.fixture
def use(monkeypatch):
    """A function that chooses the provisioner for the kernels to come."""

    def use(name: str, preload: str = PRELOAD) -> None:
        monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", name)
        monkeypatch.setenv("FASTGRADE_PRELOAD", preload)
        monkeypatch.setenv("COURSE", "regularization")
        KernelProvisionerFactory.clear_instance()

    yield use
    KernelProvisionerFactory.clear_instance()


@pytest.fixture(scope="module", autouse=True)
def end_warm_processes():
    """Nothing warm is left behind for other tests."""
    yield
    jupyter_kernels._close_all()


@pytest.fixture
def run(use, tmp_path):
    """A function that executes cells under a provisioner and gives the notebook."""

    def run(provisioner: str, *cells: str, preload: str = PRELOAD) -> nbformat.NotebookNode:
        use(provisioner, preload)
        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        resources = {"metadata": {"path": str(folder)}}
        client = NotebookClient(
            notebook(*cells), allow_errors=True, resources=resources, timeout=120
        )
        return client.execute()

    return run


@pytest.fixture
def manager(use):
    """A function that starts a kernel and gives its manager and a ready client."""
    started = []

    async def start(provisioner: str = "warm", **settings):
        use(provisioner)
        manager = AsyncKernelManager(kernel_name="python3", **settings)
        await manager.start_kernel()
        client = manager.client()
        client.start_channels()
        started.append((manager, client))
        await client.wait_for_ready(timeout=60)
        return manager, client

    start.started = started
    return start


async def ask(client, code: str) -> str:
    """Run code in a kernel and return what it printed."""
    texts = []

    def keep(message):
        if message["msg_type"] == "stream":
            texts.append(message["content"]["text"])

    await client.execute_interactive(code, output_hook=keep, timeout=60)
    return "".join(texts).strip()


def in_a_kernel(manager, test) -> None:
    """Run a coroutine function on managers, and end their kernels whatever happens."""

    async def body():
        try:
            await test()
        finally:
            for one, client in manager.started:
                client.stop_channels()
                if one.has_kernel:
                    await one.shutdown_kernel(now=True)

    # In a thread of its own: Playwright may keep a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, body()).result()


def test_the_provisioner_is_registered_under_its_name():
    (found,) = entry_points(group="jupyter_client.kernel_provisioners", name="warm")
    assert found.load() is jupyter_kernels.WarmProvisioner


def test_outputs_are_those_of_a_plain_kernel(run):
    plain = outputs(run("local-provisioner", *CELLS))
    warm = outputs(run("warm", *CELLS))
    for cell, expected, got in zip(CELLS, plain, warm, strict=True):
        assert got == expected, cell
    assert any(output["output_type"] == "error" for cell in plain for output in cell)
    figures = [o for cell in warm for o in cell if "image/png" in o.get("data", {})]
    assert len(figures) == 4  # the third cell's, the fourth's twice, the eighth's


def test_libraries_are_set_as_in_a_plain_kernel(run):
    """They look around when they are imported, and a warm process is no notebook."""
    settings = (
        "import json, matplotlib, matplotlib.pyplot, numpy, pandas\n"
        "from pandas._config.config import _registered_options as known\n"
        "def words(pairs):\n"
        "    return {str(name): str(value).lower() for name, value in pairs}\n"
        "print(json.dumps({'now': words((name, pandas.get_option(name)) for name in known),\n"
        "    'defaults': words((name, option.defval) for name, option in known.items()),\n"
        "    'drawing': words(matplotlib.rcParams.items()),\n"
        "    'printing': words(numpy.get_printoptions().items())}))"
    )
    plain, warm = (
        json.loads(printed(run(name, settings))) for name in ("local-provisioner", "warm")
    )
    assert len(plain["now"]) > 50
    assert warm == plain


def test_a_second_warm_kernel_knows_nothing_of_the_first(run):
    run("warm", "import pandas as pd\npd.secret = 1\nsecret = 2")
    again = run("warm", "import pandas as pd\nprint(hasattr(pd, 'secret'), 'secret' in globals())")
    assert printed(again) == "False False\n"


def test_two_kernels_draw_different_random_numbers(run):
    code = "import random\nimport numpy as np\nprint(random.random(), np.random.random())"
    one, two = (printed(run("warm", code)).split() for _ in range(2))
    assert one[0] != two[0]
    assert one[1] != two[1]


def test_preloaded_modules_are_there_before_the_first_cell(run):
    text = printed(run("warm", "import sys\nprint('pandas' in sys.modules)"))
    assert text == "True\n"


def test_the_inline_backend_is_not_imported_ahead(run):
    code = "import sys\nprint('matplotlib_inline.backend_inline' in sys.modules)"
    assert printed(run("warm", code)) == "False\n"


def test_a_kernel_can_be_interrupted_and_lives_on(manager):
    async def test():
        one, client = await manager()
        asleep = asyncio.Event()

        def notice(message):
            if message["msg_type"] == "stream":
                asleep.set()

        sleeping = asyncio.create_task(
            client.execute_interactive(
                "import time\nprint('asleep')\ntime.sleep(600)", output_hook=notice, timeout=60
            )
        )
        await asleep.wait()
        await one.interrupt_kernel()
        reply = await sleeping
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert await ask(client, "print('awake')") == "awake"

    in_a_kernel(manager, test)


def test_a_kernel_can_be_restarted(manager):
    async def test():
        one, client = await manager()
        first = await ask(client, "import os; x = 1; print(os.getpid())")
        await one.restart_kernel(now=True)
        await client.wait_for_ready(timeout=60)
        second = await ask(client, "import os; print(os.getpid(), 'x' in globals())")
        assert second.split()[0] != first
        assert second.split()[1] == "False"

    in_a_kernel(manager, test)


def test_a_kernel_listens_where_nobody_else_can(manager):
    """A port that was free when it was chosen may be taken when the kernel starts."""

    async def test():
        one, _client = await manager()
        folder = Path(one.ip).parent
        assert one.transport == "ipc"
        assert folder.stat().st_mode & 0o077 == 0
        assert len(list(folder.iterdir())) == 5
        await one.restart_kernel(now=True)
        assert Path(one.ip).parent == folder
        await one.shutdown_kernel(now=True)
        assert not folder.exists()

    in_a_kernel(manager, test)


def test_an_address_that_was_chosen_is_used(manager):
    async def test():
        one, client = await manager(ip="0.0.0.0")
        assert (one.transport, one.ip) == ("tcp", "0.0.0.0")
        assert await ask(client, "print('here')") == "here"

    in_a_kernel(manager, test)


def test_a_folder_for_sockets_with_too_long_a_name_is_not_used(manager, tmp_path, monkeypatch):
    long = tmp_path / ("long" * 20)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))

    async def test():
        one, client = await manager()
        assert one.transport == "tcp"
        assert await ask(client, "print('here')") == "here"

    in_a_kernel(manager, test)


def test_no_process_outlives_its_kernel(manager):
    async def test():
        one, client = await manager()
        text = await ask(
            client,
            "import os, subprocess\n"
            "child = subprocess.Popen(['sleep', '600'])\n"
            "print(os.getpid(), child.pid)",
        )
        await one.shutdown_kernel(now=True)
        for number in map(int, text.split()):
            assert not alive(number)
        assert not await one.is_alive()

    in_a_kernel(manager, test)


def test_a_kernel_that_crashes_is_reported_dead(manager):
    async def test():
        one, client = await manager()
        client.execute("import os; os._exit(3)")
        for _ in range(600):
            if not await one.is_alive():
                break
            await asyncio.sleep(0.1)
        assert not await one.is_alive()
        assert one.provisioner.process.returncode == 3

    in_a_kernel(manager, test)


def test_kernels_go_on_after_the_warm_process_was_killed(run):
    code = "print('here')"
    assert printed(run("warm", code)) == "here\n"
    for zygote, _paths in jupyter_kernels._zygotes.values():
        kill_family(zygote.pid)
    assert printed(run("warm", code)) == "here\n"


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("cmd", "options", "reason"),
    [
        (["/usr/bin/other", "-m", "ipykernel_launcher"], {}, "another interpreter"),
        ([sys.executable, "-m", "bash_kernel"], {}, "not `python -m ipykernel_launcher`"),
        (
            [sys.executable, "-m", "ipykernel_launcher"],
            {"env": {"PYTHONHASHSEED": "0"}},
            "PYTHONHASHSEED is set",
        ),
        ([sys.executable, "-m", "ipykernel_launcher"], {"stdout": -1}, "through a pipe"),
        ([], {}, "nothing is another interpreter"),
    ],
)
def test_what_only_a_new_process_can_give_is_left_to_one(cmd, options, reason):
    with pytest.raises(jupyter_kernels.NoWarmKernelError, match=re.escape(reason)):
        jupyter_kernels.kernel_arguments(cmd, {"env": {}, **options})


@pytest.mark.parametrize("missing", ["fork", "pidfd_open"])
def test_without_fork_a_plain_kernel_gives_the_same(run, monkeypatch, missing):
    monkeypatch.delattr(os, missing)
    started = []
    launch = LocalProvisioner.launch_kernel

    async def note(self, cmd, **options):
        started.append(cmd)
        return await launch(self, cmd, **options)

    monkeypatch.setattr(LocalProvisioner, "launch_kernel", note)
    executed = run("warm", "print(6 * 7)")
    assert printed(executed) == "42\n"
    assert len(started) == 1


def test_a_module_that_cannot_be_imported_costs_the_warmth_and_not_the_kernel(run):
    executed = run("warm", "print(6 * 7)", preload="no_such_module")
    assert printed(executed) == "42\n"


def test_a_process_warmed_early_serves_the_kernels_to_come(use, run):
    jupyter_kernels._close_all()
    use("warm")
    jupyter_kernels.WarmProvisioner.start_warming()
    executed = run("warm", "print(6 * 7)")
    assert printed(executed).strip() == "42"
    assert len(jupyter_kernels._zygotes) == 1


def test_warming_early_in_vain_is_no_error(use, run):
    use("warm", preload="no_such_module_anywhere")
    jupyter_kernels.WarmProvisioner.start_warming()
    executed = run("warm", "print(6 * 7)", preload="no_such_module_anywhere")
    assert printed(executed).strip() == "42"
