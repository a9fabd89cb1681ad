"""The files in ``reglib/data`` are to the bit what the packages gave that they were taken from."""

import hashlib
import re
import subprocess
import sys
import zipfile
from importlib.resources import files

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_sample_image

from reglib import datasets

FOLDER = files("reglib") / "data"
FILES = sorted(path.name for path in FOLDER.iterdir() if path.name.endswith(".npz"))


def identical(mine, theirs):
    return (mine.dtype, mine.shape) == (theirs.dtype, theirs.shape) and (
        mine.tobytes() == theirs.tobytes()
    )


def whole(data):
    """Return a data set's examples in the order in which they were drawn."""
    parts = (data.train, data.validation, data.test)
    return np.concatenate([p.x for p in parts]), np.concatenate([p.y for p in parts])


def test_the_digits_are_scikit_learns():
    theirs, held = load_digits(), datasets._held("digits")
    assert identical(held["images"].astype(float), theirs.images)
    assert identical(held["target"].astype(np.int64), theirs.target.astype(np.int64))
    # So do those that a reader gets, in the order of a permutation that the seed alone decides.
    x, y = whole(datasets.digits(rng=3))
    order = np.random.default_rng(3).permutation(1797)
    assert identical(x, theirs.images[order][..., None] / 16.0)
    assert identical(y, theirs.target[order].astype(np.int64))


def test_the_tumors_are_scikit_learns():
    theirs, held = load_breast_cancer(), datasets._held("breast_cancer")
    assert identical(held["data"], theirs.data)
    # Means are sums in the order of memory: another order would move a last digit.
    assert held["data"].flags.c_contiguous
    assert identical(held["target"].astype(np.int64), theirs.target.astype(np.int64))
    assert identical(held["feature_names"], theirs.feature_names)
    assert datasets.breast_cancer_with_noise(0).feature_names == tuple(theirs.feature_names)


@pytest.mark.parametrize(
    ("name", "source", "rows", "columns"),
    [
        ("photograph", "china.jpg", slice(26, 410), slice(14, 398)),
        ("flower", "flower.jpg", slice(22, 406), slice(118, 502)),
    ],
)
def test_a_photograph_is_a_part_of_one_of_scikit_learns(name, source, rows, columns):
    part = load_sample_image(source)[rows, columns].astype(float)
    small = part.reshape(96, 4, 96, 4, 3).mean(axis=(1, 3)).round().astype("uint8")
    assert identical(datasets._held(name)["image"], small)


@pytest.mark.parametrize(
    ("name", "times", "digests"),
    [
        (
            "sunspots",
            np.arange(1700, 2009),
            {
                "years": "9e790c19bc33992f9f90ff1b251e62f9c2e797036dcd9e83f754d54f1820732c",
                "values": "66c86ecdcd5950f61f6243f924fdfa10a44596e94816291062fdda266a31c86d",
            },
        ),
        (
            "co2",
            np.arange("1958-03-29", "2001-12-30", 7, dtype="datetime64[D]"),
            {
                "weeks": "b3147d76a7d7e4a8133b6be165165ff1a3daf62e8a98f89e25565acb606ef7ab",
                "values": "ee5afa98318c2069baa753b7b8a327b96b0217017cf94aa8407e914d3cbfaa35",
            },
        ),
    ],
)
def test_the_series_are_those_of_statsmodels(name, times, digests):
    """The digests are those of what statsmodels 0.15.0 gave, in 64 bits a number."""
    held = dict(datasets._held(name))
    if name == "sunspots":
        held["years"] = held["years"].astype(np.int64)
    found = {key: hashlib.sha256(array.tobytes()).hexdigest() for key, array in held.items()}
    assert found == digests
    (when,) = held.keys() - {"values"}
    np.testing.assert_array_equal(held[when], times)
    assert held["values"].dtype == np.float64
    assert np.isnan(held["values"]).sum() == (59 if name == "co2" else 0)


def test_every_file_is_named_with_its_source_and_licence():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## `(\S+)`(.*?)(?=^## )", text, flags=re.M | re.S))
    assert sorted(sections) == FILES
    for section in sections.values():
        assert all(f"- **{word}** " in section for word in ("Cite", "License", "Taken from"))


def test_the_files_are_small():
    sizes = [len((FOLDER / name).read_bytes()) for name in FILES]
    assert sum(sizes) < 180_000


def test_they_are_read_from_an_archive_too(tmp_path):
    """As a library that was never unpacked is: there is no path to open then."""
    archive = tmp_path / "library.zip"
    library = files("reglib")
    with zipfile.ZipFile(archive, "w") as packed:
        for path in library.rglob("*"):
            if path.is_file() and path.suffix != ".pyc":
                packed.write(path, path.relative_to(library.parent))
    code = (
        "import sys\n"
        f"sys.path.insert(0, {str(archive)!r})\n"
        "from reglib import datasets\n"
        f"assert datasets.__file__.startswith({str(archive)!r})\n"
        "print(datasets.digits(), datasets.breast_cancer_with_noise(),\n"
        "      datasets.sunspots(), datasets.co2())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.count("Dataset ") == 4
