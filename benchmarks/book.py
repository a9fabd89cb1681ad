"""How long a cold build of a book takes: plain Jupyter Book against `book/build.py`, in turns.

The book is made up, fifteen chapters of six cells with one plot each, or with
``--this-book`` this project's own. Both sides start without a cache, and count start-up, execution
and writing. A third build, with every result in the cache, tells what Sphinx takes by itself.

Wall times tell of the build only on a machine that does nothing else; the load is printed.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import yaml

ROOT = Path(__file__).resolve().parents[1]

CHAPTER = """\
---
file_format: mystnb
kernelspec:
  name: python3
---

# Chapter {number}

```{{code-cell}} python3
import numpy as np
import pandas as pd
```

```{{code-cell}} python3
rng = np.random.default_rng({number})
frame = pd.DataFrame(rng.normal(size=(200, 2)), columns=["loss", "gap"])
```

```{{code-cell}} python3
frame.describe()
```

```{{code-cell}} python3
print(frame["loss"].mean())
```

```{{code-cell}} python3
---
mystnb:
  image:
    alt: A cloud of two hundred points without a trend, made of random numbers.
---
frame.plot.scatter("loss", "gap");
```

```{{code-cell}} python3
frame.corr().round(2)
```
"""


def write_book(folder: Path, chapters: int) -> None:
    """Write a book that uses this project's configuration."""
    source = folder / "book"
    (source / "chapters").mkdir(parents=True)
    for name in ("_ext", "_static"):
        (source / name).symlink_to(ROOT / "book" / name)
    shutil.copy(ROOT / "book" / "build.py", source)
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    del config["bibtex_bibfiles"]
    settings = config["sphinx"]["config"]
    settings["extensions"].remove("sphinxcontrib.bibtex")
    for name in [name for name in settings if name.startswith("bibtex")]:
        del settings[name]
    (folder / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    names = [f"chapters/{number:02d}" for number in range(chapters)]
    toc = {"format": "jb-book", "root": "index", "chapters": [{"file": name} for name in names]}
    (source / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    (source / "index.md").write_text("# A book\n\nFor the clock.\n", encoding="utf-8")
    for number, name in enumerate(names):
        (source / f"{name}.md").write_text(CHAPTER.format(number=number), encoding="utf-8")


def build(folder: Path, source: Path, kernels: str) -> tuple[float, float]:
    """Build a book into a folder; return wall and processor seconds.

    ``kernels`` are plain or warm, and then there is no cache; or cached, and nothing is executed.
    """
    site = folder / "_build"
    for old in [site / "html", site / ".doctrees"] if kernels == "cached" else [site]:
        shutil.rmtree(old, ignore_errors=True)
    environment = {**os.environ, "BOOK_KERNELS": kernels, "OPENBLAS_NUM_THREADS": "1"}
    command: list[str | Path] = [sys.executable, "book/build.py"]
    if kernels == "plain":
        command = [Path(sys.executable).with_name("jupyter-book"), "build", "book"]
    command += ["-W", "-n", "--keep-going", "--path-output", folder]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    run = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if run.returncode:
        raise click.ClickException(run.stdout[-2000:] + run.stderr[-2000:])
    return wall, (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


@click.command()
@click.option("--chapters", default=15, show_default=True)
@click.option("--this-book", is_flag=True, help="Build this project's book.")
@click.option("--rounds", default=3, show_default=True)
def main(chapters: int, this_book: bool, rounds: int) -> None:
    """Print medians and ratios."""
    taken: dict[str, list[tuple[float, float]]] = {"plain": [], "warm": [], "cached": []}
    with tempfile.TemporaryDirectory() as name:
        folder = source = Path(name)
        if this_book:
            source = ROOT
        else:
            write_book(folder, chapters)
        for _ in range(rounds):
            for kernels, times in taken.items():
                times.append(build(folder, source, kernels))
                wall, processor = times[-1]
                load = os.getloadavg()[0]
                click.echo(f"{kernels:6} {wall:7.1f} {processor:7.1f}   load {load:.1f}", err=True)
    medians = {
        kernels: [statistics.median(column) for column in zip(*times, strict=True)]
        for kernels, times in taken.items()
    }
    title = "This book" if this_book else f"{chapters} chapters"
    click.echo(f"{title}, cold, median of {rounds} rounds, {os.cpu_count()} processors")
    for kernels, (wall, processor) in medians.items():
        click.echo(f"{kernels:6} {wall:7.1f} s wall {processor:7.1f} s of processors")
    ratios = [plain / warm for plain, warm in zip(medians["plain"], medians["warm"], strict=True)]
    click.echo(f"ratio  {ratios[0]:7.2f}        {ratios[1]:7.2f}")


if __name__ == "__main__":
    main()
