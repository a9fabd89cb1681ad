"""Cures for the theme's faults: templates of our own where its pages fail."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

TEMPLATES = Path(__file__).parent / "templates"


def use_templates(app: Sphinx, config: Config) -> None:
    """Let our templates stand before the theme's."""
    config.templates_path.insert(0, str(TEMPLATES))


def setup(app: Sphinx) -> None:
    """Register the templates."""
    # Jupyter Book sets this one even where its extension is left out.
    app.add_config_value("comments_config", {}, "html")
    app.connect("config-inited", use_templates)
