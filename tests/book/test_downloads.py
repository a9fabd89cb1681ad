"""What students take home from the site, and that it is enough: from install to last cell."""

from __future__ import annotations

import json
import os
import re
import venv
import zipfile
from importlib.metadata import PathDistribution, distribution
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from packaging.requirements import Requirement
from regbook.downloads import build_wheel, copy_exercises, published, released

from reglib import __version__
from reglib.exercises._install_cell import WHEEL, install_cell
from tests.book.built import SITE

#: The student's machine is made once, and the wheel installed on it once.
alone = pytest.mark.xdist_group("alone")
NOTEBOOKS = sorted(path.relative_to(SITE).as_posix() for path in SITE.glob("exercises/*/*.ipynb"))


def read(text: str) -> dict[str, str]:
    """Return the source of each cell of a notebook by its id."""
    return {cell["id"]: "".join(cell["source"]) for cell in json.loads(text)["cells"]}


def test_every_exercise_and_the_wheel_are_offered_on_one_page(site):
    page = (site / "getting-started.html").read_text(encoding="utf-8")
    offered = re.findall(r'href="([^"]+\.(?:ipynb|whl))" download', page)
    assert offered == [*NOTEBOOKS, WHEEL]
    assert [Path(name).name for name in NOTEBOOKS] == [path.name for path in released()]


def test_the_wheel_of_the_site_is_built_from_the_library_as_it_stands(site, tmp_path):
    build_wheel(tmp_path)
    assert (site / WHEEL).read_bytes() == (tmp_path / WHEEL).read_bytes()


def test_an_older_wheel_does_not_stay(tmp_path):
    (tmp_path / "reglib-0.0.1-py3-none-any.whl").touch()
    build_wheel(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [WHEEL]


def test_an_exercise_that_is_gone_does_not_stay(tmp_path):
    gone = tmp_path / "exercises" / "99-gone" / "99-gone.ipynb"
    gone.parent.mkdir(parents=True)
    gone.touch()
    copy_exercises(tmp_path, "")
    assert [p.name for p in sorted(tmp_path.rglob("*.ipynb"))] == [p.name for p in released()]


@pytest.mark.parametrize("path", released(), ids=lambda path: path.stem)
def test_a_published_notebook_installs_from_its_site_and_links_to_it(path):
    text = path.read_text(encoding="utf-8")
    cells = read(published(text, "https://example.org/course/"))
    assert cells["install"] == install_cell("https://example.org/course")
    links = re.findall(r"\]\(([^)]+)\)", "".join(cells.values()))
    assert any(link.startswith("https://example.org/course/chapters/") for link in links)
    assert not [link for link in links if "../" in link or link.endswith(".md")]


@pytest.mark.parametrize("path", released(), ids=lambda path: path.stem)
def test_without_an_address_a_published_notebook_links_to_nothing_that_is_not_beside_it(path):
    text = path.read_text(encoding="utf-8")
    cells = read(published(text, ""))
    assert cells["install"] == install_cell() == read(text)["install"]
    assert "](.." not in "".join(cells.values())
    assert "Read chapter" in cells["intro"]


@pytest.mark.browser
@pytest.mark.parametrize("name", ["getting-started", "chapters/05-dropout"])
def test_a_notebook_downloaded_from_a_server_knows_its_address(address, visit, tmp_path, name):
    page = visit().open(f"{address}/{name}.html")
    with page.expect_download() as download:
        page.locator("a.assignment-download", has_text="05-dropout").click()
    assert download.value.suggested_filename == "05-dropout.ipynb"
    download.value.save_as(tmp_path / "mine.ipynb")
    cells = read((tmp_path / "mine.ipynb").read_text(encoding="utf-8"))
    assert cells["install"] == install_cell(address)


def brought_by(*requirements: str) -> set[str]:
    """Return the distributions that an install brings."""
    found: set[str] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        wanted = waiting.pop()
        if wanted.name in found or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        found.add(wanted.name)
        waiting += map(Requirement, distribution(wanted.name).requires or ())
    return found


class Machine:
    """A student's: Python with a notebook's kernel and what the library needs, not the library.

    Its packages are those of this Python, so that nothing is downloaded but the wheel.
    """

    def __init__(self, folder: Path, wheel: Path) -> None:
        builder = venv.EnvBuilder(symlinks=True)
        builder.create(folder)
        self.python = builder.ensure_directories(folder).env_exe
        (packages,) = folder.glob("lib/python*/site-packages")
        inside = zipfile.Path(wheel, f"reglib-{__version__}.dist-info/")
        for name in brought_by("ipykernel", "pip", *PathDistribution(inside).requires):
            for file in distribution(name).files or ():
                place = Path(str(distribution(name).locate_file(file.parts[0])))
                if ".." not in file.parts and not (packages / place.name).exists():
                    (packages / place.name).symlink_to(place)

    def kernel(self) -> KernelManager:
        """Return a kernel of this machine that is not started."""
        manager = KernelManager(kernel_name="student")
        command = [self.python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        manager._kernel_spec = KernelSpec(argv=command, name="student", language="python")
        return manager

    def environment(self) -> dict[str, str]:
        """Return that of a shell which knows nothing of this project, with pip offline."""
        ours = ("PYTHONPATH", "REGLIB_SITE", "VIRTUAL_ENV")
        kept = {name: value for name, value in os.environ.items() if name not in ours}
        return {**kept, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}

    def run(self, code: str, folder: Path, answer: str) -> str:
        """Run code in a new kernel in a folder, answer what it asks, and return what it says."""
        manager, said = self.kernel(), []

        def note(message: dict[str, Any]) -> None:
            content = message["content"]
            said.append(content.get("text") or "\n".join(content.get("traceback", ())))

        manager.start_kernel(cwd=str(folder), env=self.environment())
        client = manager.blocking_client()
        try:
            client.start_channels()
            client.wait_for_ready(timeout=120)
            client.execute_interactive(
                code,
                allow_stdin=True,
                stdin_hook=lambda message: client.input(answer),
                output_hook=note,
                timeout=120,
            )
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", "".join(said))


@pytest.fixture(scope="module")
def machine(site, tmp_path_factory):
    return Machine(tmp_path_factory.mktemp("machine"), site / WHEEL)


@pytest.fixture(scope="module")
def refused(machine, tmp_path_factory):
    """What the first cell says to a student without the library who types n."""
    return machine.run(install_cell(), tmp_path_factory.mktemp("alone"), "n")


@pytest.fixture(scope="module")
def installed(machine, refused, address, tmp_path_factory):
    """What it says to one who then types y."""
    code = f"{install_cell(address)}\nprint(reglib.__file__)"
    return machine.run(code, tmp_path_factory.mktemp("alone"), "y")


@alone
def test_a_notebook_alone_says_in_a_few_lines_how_to_get_the_library(refused):
    lines = refused.splitlines()
    assert f"    %pip install ./{WHEEL}" in lines
    assert (
        "The book's page 'Getting started' offers that file. Download it to this folder." in lines
    )
    assert lines[-1] == "ModuleNotFoundError: No module named 'reglib'"
    assert len(lines) < 20


@alone
def test_the_first_cell_installs_the_library_from_the_site_when_asked(machine, installed, address):
    assert f"    %pip install {address}/{WHEEL}" in installed.splitlines()
    assert "Successfully installed reglib-" in installed
    assert Path(installed.splitlines()[-1]).is_relative_to(Path(machine.python).parents[1])


@alone
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_to_its_end_from_a_folder_that_holds_nothing_else(
    machine, installed, site, tmp_path, name
):
    notebook = nbformat.read(site / name, as_version=4)
    client = NotebookClient(
        notebook, km=machine.kernel(), timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute(env=machine.environment())
    outputs = {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    errors = [one for many in outputs.values() for one in many if one.output_type == "error"]
    assert {error.ename for error in errors} == {"CheckFailed"}
    assert "../../book" not in json.dumps(outputs)
    assert "0 of " in "".join(one.text for one in outputs["report"])
