"""matplotlib's backend in the page: a figure is shown below its cell, by ``course_session``."""

from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas  # noqa: F401


def show(*_: object, **__: object) -> None:
    """Show what pyplot holds, as ``plt.show()`` does in a notebook."""
    import course_session

    course_session.flush_figures()
