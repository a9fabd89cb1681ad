"""Python's collector of garbage rests while the book is built.

Pages are trees of a million nodes that live until the end. The collector walks through them again
and again and finds next to nothing: a third of Sphinx's time went there.
"""

from __future__ import annotations

import gc

from sphinx.application import Sphinx

from regbook.warm import plain


def setup(app: Sphinx) -> None:
    """Switch the collector off until the build has ended."""
    if plain() or not gc.isenabled():
        return
    gc.disable()
    app.connect("build-finished", lambda *_: gc.enable())
