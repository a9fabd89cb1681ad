"""What ``fit`` shows: lines that stay, in a terminal and in a notebook, and nothing elsewhere."""

import os
import pty
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from reglib import layers, models

PROGRAM = """
import time
import numpy as np
import reglib as keras

model = keras.Sequential([keras.layers.Dense(1)], seed=0)
model.compile("sgd", "mse")
wait = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep({wait}))
model.fit(np.ones((96, 2)), np.ones(96), epochs=2, callbacks=[wait])
"""


def fitted(**options):
    model = models.Sequential([layers.Dense(1)], seed=0)
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2)), np.ones(4), epochs=2, **options)


@pytest.mark.parametrize("verbose", [1, 2])
def test_each_epoch_is_a_line_where_it_is_asked_for(verbose, capsys):
    fitted(verbose=verbose)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" - ")[0] for line in lines] == ["Epoch 1/2", "Epoch 2/2"]
    assert all("loss: " in line for line in lines)


def test_nothing_is_shown_by_default_where_nobody_looks(capsys):
    fitted()
    assert capsys.readouterr().out == ""


def in_a_terminal(program):
    """Return what a program writes to a terminal of its own."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", program], stdout=theirs) as process:
        os.close(theirs)
        written = b""
        try:
            while part := os.read(ours, 4096):
                written += part
        except OSError:  # so Linux says that the other end is closed
            pass
        assert process.wait() == 0
    os.close(ours)
    return written.decode()


def test_a_terminal_shows_the_epoch_under_way_and_keeps_lines():
    written = in_a_terminal(PROGRAM.format(wait=0.3))
    assert "Epoch 1/2 - batch 2/3 - loss: " in written
    kept = [line.rstrip("\r").rpartition("\r")[2] for line in written.split("\n")]
    assert [line.split(" - ")[0] for line in kept if line.strip()] == ["Epoch 1/2", "Epoch 2/2"]


@pytest.mark.slow
@pytest.mark.parametrize("wait", [0, 0.3])
def test_a_notebook_keeps_text_that_can_be_read_when_it_is_opened_again(wait):
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(PROGRAM.format(wait=wait))]
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    outputs = notebook.cells[0].outputs
    streams = "".join(output.text for output in outputs if output.output_type == "stream")
    assert [line.split(" - ")[0] for line in streams.splitlines()] == ["Epoch 1/2", "Epoch 2/2"]
    assert "\r" not in streams
    shown = [output.data for output in outputs if output.output_type == "display_data"]
    assert shown == ([{"text/plain": "Trained for 2 of 2 epochs."}] if wait else [])
