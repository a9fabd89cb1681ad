"""How libraries show things, where they have been imported before there was a notebook."""

from __future__ import annotations

import sys

__all__ = ["forget_terminal"]

#: How many columns pandas shows in a notebook; in a terminal as many as it is wide.
PANDAS_COLUMNS = 20


def forget_terminal() -> None:
    """Let pandas show as many columns as in a notebook.

    It looked for a notebook when the warm process imported it, and took that for a terminal.
    """
    config = sys.modules.get("pandas._config.config")
    name = "display.max_columns"
    if config is None or config.get_option(name) != 0:
        return
    # Its default too, as somebody may reset the option.
    registered = config._registered_options[name]
    config._registered_options[name] = registered._replace(defval=PANDAS_COLUMNS)
    config.set_option(name, PANDAS_COLUMNS)
