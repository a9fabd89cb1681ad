"""Chapters run under a profile of the book's own, so that they look the same on every machine.

The reader's IPython profile is left out of it, and :mod:`regbook.figures` draws for the page.
"""

from __future__ import annotations

import os
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

PROFILE = """\
c = get_config()
c.InlineBackend.figure_formats = {"retina"}
c.HistoryManager.enabled = False
# Kernels listen on this machine only, for the length of the build: no warning is due.
c.IPKernelApp.log_level = 40
# On a busy machine matplotlib complains of a legend that takes it a second; a build must not stop.
c.InteractiveShellApp.exec_lines = [
    "__import__('warnings').filterwarnings('ignore', message='Creating legend with loc=.best.')"
]
"""


FIGURES = f"""\
import sys
sys.path.append({str(Path(__file__).resolve().parents[1])!r})
c.InteractiveShellApp.extensions = ["regbook.figures"]
"""


def write_profile(app: Sphinx, config: Config) -> None:
    """Write the profile beside the build and point kernels to it."""
    folder = Path(app.outdir).resolve().parent / ".ipython"
    profile = folder / "profile_default" / "ipython_kernel_config.py"
    profile.parent.mkdir(parents=True, exist_ok=True)
    text = PROFILE + FIGURES
    if not profile.exists() or profile.read_text(encoding="utf-8") != text:
        profile.write_text(text, encoding="utf-8")
    os.environ["IPYTHONDIR"] = str(folder)


def setup(app: Sphinx) -> None:
    """Write the profile before the first kernel starts."""
    app.connect("config-inited", write_profile)
