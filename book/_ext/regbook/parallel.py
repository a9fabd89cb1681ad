"""Pages are written by several processes: Jupyter Book has no option that would say so.

Reading stays in one: the chapters' results are handed over there, and one of the theme's
extensions does not say whether it could be shared out.
"""

from __future__ import annotations

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from regbook.execute import cores
from regbook.warm import plain


def write_in_parallel(app: Sphinx, env: BuildEnvironment) -> None:
    """Let every processor write pages, where every extension says that it may."""
    safe = all(part.parallel_write_safe for part in app.extensions.values())
    if app.parallel < 2 and safe and not plain():
        # Sphinx takes one off for the process that hands pages out, which has time to spare.
        app.parallel = cores() + 1


def setup(app: Sphinx) -> None:
    """Decide between reading and writing."""
    app.connect("env-check-consistency", write_in_parallel)
