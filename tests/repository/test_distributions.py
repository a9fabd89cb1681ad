"""The two distributions of this repository: what they declare, and what they install."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
#: Where each is built, and the packages that it holds.
DISTRIBUTIONS = {
    "reglib": (ROOT, ["reglib"]),
    "fastgrade": (ROOT / "fastgrade", ["fastgrade", "warmfork"]),
}


def package_files(package: str) -> set[str]:
    """Return the files of a package by where a wheel has them."""
    files = {path for path in (ROOT / package).rglob("*") if path.is_file()}
    # Beside the modules of fastgrade stands what its distribution is made with.
    beside = {path for path in files if path.parent.name == "fastgrade"}
    project = {path for path in beside if path.suffix != ".py" and path.name != "py.typed"}
    return {
        path.relative_to(ROOT).as_posix()
        for path in files - project
        if path.suffix != ".pyc" and path.name != "hatch_build.py"
    }


def imported(name: str) -> dict[str, set[str]]:
    """Return what the packages of a distribution import, at a module's head or later.

    By the name in the import statement, with the distributions that may have brought it.
    """
    tops = set()
    _, packages = DISTRIBUTIONS[name]
    files = {file for package in packages for file in package_files(package)}
    for module in (ROOT / file for file in files if file.endswith(".py")):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                tops |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                tops.add(node.module.partition(".")[0])
    owners = packages_distributions()
    tops -= {*sys.stdlib_module_names, *packages}
    return {top: {normal(owner) for owner in owners.get(top, [top])} for top in tops}


def declared(name: str) -> set[str]:
    """Return the names of the distributions that a distribution asks for, extras included."""
    folder, _ = DISTRIBUTIONS[name]
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(wanted for extra in extras for wanted in extra)]
    return {normal(re.match(r"[\w.-]+", requirement)[0]) for requirement in wanted}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module", params=DISTRIBUTIONS)
def wheel(request, tmp_path_factory):
    """Return a distribution's name and its wheel, built from the folder as it stands."""
    folder, _ = DISTRIBUTIONS[request.param]
    place = tmp_path_factory.mktemp(request.param)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--no-index", "-w", str(place), str(folder)], check=True)
    (built,) = place.glob("*.whl")
    return request.param, built


def test_a_wheel_holds_its_packages_and_nothing_else(wheel):
    name, built = wheel
    _, packages = DISTRIBUTIONS[name]
    with zipfile.ZipFile(built) as archive:
        files = {entry for entry in archive.namelist() if ".dist-info/" not in entry}
    assert files == {file for package in packages for file in package_files(package)}


def test_a_wheel_works_away_from_the_repository(wheel, tmp_path):
    name, built = wheel
    with zipfile.ZipFile(built) as archive:
        archive.extractall(tmp_path)
    code = f"""
import sys
sys.path[:] = [{str(tmp_path)!r}, *(p for p in sys.path if p != {str(ROOT)!r})]
import pkgutil
from importlib import import_module
for package in {DISTRIBUTIONS[name][1]!r}:
    top = import_module(package)
    for module in pkgutil.walk_packages(top.__path__, package + "."):
        import_module(module.name)
others = {{"reglib", "fastgrade", "warmfork"}} - set({DISTRIBUTIONS[name][1]!r})
assert not others & set(sys.modules), others & set(sys.modules)
assert all(m.__file__.startswith({str(tmp_path)!r})
           for n, m in sys.modules.items() if n.partition(".")[0] in {DISTRIBUTIONS[name][1]!r})
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_distribution_declares_what_it_imports(name):
    # Training shows its progress through IPython where that runs already, and asks for it nowhere.
    asked = declared(name) | {"ipython"}
    assert not {top: owners for top, owners in imported(name).items() if not owners & asked}


def test_fastgrade_declares_nothing_that_it_does_not_import():
    used = set().union(*imported("fastgrade").values())
    # SQLAlchemy imports the driver that a gradebook's address names.
    assert declared("fastgrade") - used == {"psycopg2-binary"}


def test_a_plain_install_brings_what_exercises_need_and_no_more():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {normal(name.partition(">")[0]) for name in project["dependencies"]}
    assert needed == {"matplotlib", "numpy"}
