"""The first code cell of each notebook: it gets this library where it is missing."""

from __future__ import annotations

from reglib import __version__
from reglib.exercises._messages import SITE_VARIABLE

#: The file to install; the book's site has it at its root.
WHEEL = f"reglib-{__version__}-py3-none-any.whl"

# Plain Python, so that it runs wherever a notebook's code does. Where reglib is, as under a grader,
# nothing is asked and nothing installed.
_CELL = """\
import os
from importlib.util import find_spec

# reglib is the library of this course, with the tests. Its name is the same for pip and for import.
site = os.environ.setdefault("{variable}", "{site}") or "."
if find_spec("reglib") is None:
    wheel = f"{{site}}/{wheel}"
    print("This notebook needs reglib, the library of this course, which is not installed here.")
    print(f"This line installs it, with NumPy and matplotlib:\\n\\n    %pip install {{wheel}}\\n")
    if site == ".":
        print("The book's page 'Getting started' offers that file. Download it to this folder.")
    if input("Run the line now (y/n)? ").lower().startswith("y"):
        get_ipython().run_line_magic("pip", f"install {{wheel}}")
import reglib"""


def install_cell(site: str = "") -> str:
    """Return the cell's source.

    Parameters
    ----------
    site : str
        The address of the book's site, in a notebook that is published there. Without it the
        environment may name one; else the wheel is looked for beside the notebook.

    Examples
    --------
    >>> "https://example.org/course" in install_cell("https://example.org/course/")
    True
    """
    return _CELL.format(variable=SITE_VARIABLE, site=site.rstrip("/"), wheel=WHEEL)
