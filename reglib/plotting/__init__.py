"""Figures of the course, in one style, each with a text that says what it shows.

Every function draws on ``ax`` (or on a new figure), returns the axes, and attaches an alternative
text made from the data drawn, which :func:`alt_text` returns. :func:`set_style` sets colors that
the color-blind can tell apart and a light panel that reads on light and on dark pages. Training is
always a solid blue line and validation a dashed orange one, so that color never stands alone.

matplotlib is imported when something is drawn, not before.
"""

from reglib.plotting.comparisons import plot_paired_difference as plot_paired_difference
from reglib.plotting.comparisons import plot_seed_spread as plot_seed_spread
from reglib.plotting.expectations import reveal as reveal
from reglib.plotting.images import plot_augmented_grid as plot_augmented_grid
from reglib.plotting.images import plot_filters as plot_filters
from reglib.plotting.predictions import plot_calibration as plot_calibration
from reglib.plotting.predictions import plot_decision_boundary as plot_decision_boundary
from reglib.plotting.style import GRID as GRID
from reglib.plotting.style import INK as INK
from reglib.plotting.style import PALETTE as PALETTE
from reglib.plotting.style import PANEL as PANEL
from reglib.plotting.style import STEPS as STEPS
from reglib.plotting.style import TEST as TEST
from reglib.plotting.style import TRAIN as TRAIN
from reglib.plotting.style import VALIDATION as VALIDATION
from reglib.plotting.style import alt_text as alt_text
from reglib.plotting.style import describe as describe
from reglib.plotting.style import label_lines as label_lines
from reglib.plotting.style import ordered_colors as ordered_colors
from reglib.plotting.style import set_style as set_style
from reglib.plotting.training import plot_history as plot_history
from reglib.plotting.weights import plot_penalty_path as plot_penalty_path
from reglib.plotting.weights import plot_regularization_path as plot_regularization_path
from reglib.plotting.weights import plot_weight_histograms as plot_weight_histograms
