"""How fast does reglib augment images? Ratios to Keras on each backend, and to grid_sample.

    python benchmarks/augmentation.py
    python benchmarks/augmentation.py --rounds 9 --layers RandomRotation RandomZoom --markdown

Each peer lives in a process of its own; rounds are interleaved, so that a busy machine is busy
for all. What counts is CPU seconds of the whole process with one thread; the ratio is taken
within a round, and the median over rounds is reported with the lowest and the highest. Each
time is the better of two calls, on images that the backend already holds (torch's with their
channels first, as it wants them), result on the host.

Keras on TensorFlow resamples by one compiled operation, ImageProjectiveTransformV3, which the
layers' numbers there are the price of: NumPy's twelve gathers of a rotation, four neighbors of
three channels, take a fifth of its time before anything is computed with them.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
BACKENDS = {"numpy": "jax", "jax": "jax", "torch": "torch", "tensorflow": "tensorflow"}
ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "JAX_PLATFORMS": "cpu",
    "CUDA_VISIBLE_DEVICES": "",
    "PYTHONWARNINGS": "ignore",
}
SHAPES = ((256, 64, 64, 3), (64, 8, 8, 1))
LAYERS: dict[str, dict] = {
    "RandomFlip": {"mode": "horizontal"},
    "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1},
    "RandomZoom": {"height_factor": 0.2},
    "RandomRotation": {"factor": 0.1},
    "RandomShear": {"x_factor": 0.2, "y_factor": 0.2},
    "RandomContrast": {"factor": 0.5, "value_range": (0, 1)},
    "RandomBrightness": {"factor": 0.2, "value_range": (0, 1)},
    "RandomColorDegeneration": {"factor": 0.5, "value_range": (0, 1)},
    "RandomSharpness": {"factor": 1.0, "value_range": (0, 1)},
    "RandomErasing": {"factor": (1.0, 1.0), "value_range": (0, 1), "fill_value": 0.0},
    "MixUp": {},
    "CutMix": {},
    "RandAugment": {"value_range": (0, 1)},
}
# Keras evaluates all its operations on every call, minutes a round on JAX: on request only.
ON_REQUEST = ("RandAugment",)
# What is computed of three channels together.
COLORFUL = ("RandAugment", "RandomColorDegeneration")
# What the project promises to be at least 8 times faster at than Keras, and level with torch.
AFFINE = ("RandomTranslation", "RandomZoom", "RandomRotation", "RandomShear")
GRID_SAMPLE = "grid_sample"


def grid_sample(name: str):
    """Return torch's way to do what an affine layer does, draws and all."""
    import torch
    from torch.nn.functional import affine_grid
    from torch.nn.functional import grid_sample as sample

    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)

    def uniform(count: int, reach: float) -> torch.Tensor:
        return (2 * torch.rand(count, generator=generator) - 1) * reach

    def augment(images: torch.Tensor, training: bool) -> torch.Tensor:
        count = len(images)
        theta = torch.eye(2, 3).repeat(count, 1, 1)
        if name == "RandomTranslation":
            theta[:, 0, 2], theta[:, 1, 2] = uniform(count, 0.2), uniform(count, 0.2)
        elif name == "RandomZoom":
            zoom = 1 + uniform(count, 0.2)
            theta[:, 0, 0], theta[:, 1, 1] = zoom, zoom
        elif name == "RandomRotation":
            angle = uniform(count, 0.1 * 2 * torch.pi)
            theta[:, 0, 0], theta[:, 0, 1] = torch.cos(angle), -torch.sin(angle)
            theta[:, 1, 0], theta[:, 1, 1] = torch.sin(angle), torch.cos(angle)
        else:
            theta[:, 0, 1], theta[:, 1, 0] = uniform(count, 0.2), uniform(count, 0.2)
        grid = affine_grid(theta, images.shape, align_corners=False)
        return sample(images, grid, padding_mode="reflection", align_corners=False)

    return augment


def work(peer: str, shape: tuple[int, ...], names: list[str]) -> None:
    """Be a peer: for each line that comes in, time every layer and print the seconds."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not get between the answers
    # Beside this file lies another reglib.py, which must not be found first.
    sys.path[:] = [str(ROOT)] + [
        p for p in sys.path if Path(p or ".").resolve() != ROOT / "benchmarks"
    ]
    import numpy as np

    images = np.random.default_rng(0).random(shape, dtype="float32")
    names = [name for name in names if shape[-1] == 3 or name not in COLORFUL]
    if peer == GRID_SAMPLE:
        import torch

        images = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
        made = {name: grid_sample(name) for name in names if name in AFFINE}
    else:
        if peer == "reglib":
            from reglib import layers
        else:
            from keras import layers, ops

            images = ops.convert_to_tensor(images)
        made = {name: getattr(layers, name)(**LAYERS[name], seed=0) for name in names}

    def seconds(layer) -> float:
        start = time.process_time()
        np.asarray(layer(images, training=True))
        return time.process_time() - start

    for layer in made.values():
        seconds(layer)
    print(json.dumps("ready"), file=answers, flush=True)
    for _ in sys.stdin:
        times = {name: min(seconds(layer), seconds(layer)) for name, layer in made.items()}
        print(json.dumps(times), file=answers, flush=True)


class Peer:
    """A process that runs :func:`work`."""

    def __init__(self, name: str, shape: tuple[int, ...], names: list[str]) -> None:
        env = {**os.environ, **ONE_THREAD, "KERAS_BACKEND": name.partition("+")[2] or "jax"}
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--peer", name, json.dumps(shape), *names],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=env,
        )

    def answer(self):
        """Return what the process prints next."""
        return json.loads(self.process.stdout.readline())

    def round(self) -> dict[str, float]:
        """Have every layer timed once."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


def measure(peers: list[str], shape: tuple[int, ...], names: list[str], rounds: int):
    """Return {layer: {peer: seconds by round}}."""
    workers = {peer: Peer(peer, shape, names) for peer in peers}
    for worker in workers.values():
        worker.answer()
    times: dict[str, dict[str, list[float]]] = {}
    for _ in range(rounds):
        for peer, worker in workers.items():
            for name, seconds in worker.round().items():
                times.setdefault(name, {}).setdefault(peer, []).append(seconds)
    for worker in workers.values():
        worker.close()
    return times


def report(times, shape: tuple[int, ...], peers: list[str], markdown: bool) -> None:
    """Print a table: milliseconds of CPU of reglib, and each peer's as a multiple of it."""
    title = f"{' x '.join(map(str, shape))}"
    header = [title, "reglib, ms", *(f"{peer}, times" for peer in peers if peer != "reglib")]
    rows = []
    for name, by_peer in times.items():
        mine = by_peer["reglib"]
        row = [name, f"{1000 * median(mine):.2f}"]
        for peer in peers[1:]:
            ratios = [a / b for a, b in zip(by_peer.get(peer, ()), mine, strict=False)]
            row.append(
                f"{median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})" if ratios else "-"
            )
        rows.append(row)
    if markdown:
        header, *rows = ["| " + " | ".join(row) + " |" for row in [header, *rows]]
        print(header, "|" + " --- |" * (len(peers) + 1), *rows, "", sep="\n")
        return
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in [header, *rows]:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--layers", nargs="+", choices=LAYERS, default=[n for n in LAYERS if n not in ON_REQUEST]
    )
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--peer", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        peer, shape, *names = options.peer
        work(peer, tuple(json.loads(shape)), names)
        return
    peers = ["reglib"]
    if importlib.util.find_spec("keras"):
        found = [b for b, needs in BACKENDS.items() if importlib.util.find_spec(needs)]
        peers += [f"keras+{backend}" for backend in found]
    if importlib.util.find_spec("torch"):
        peers.append(GRID_SAMPLE)
    for shape in SHAPES:
        times = measure(peers, shape, options.layers, options.rounds)
        report(times, shape, peers, options.markdown)
        # Tiny images measure how long a call takes, not how fast pixels are computed.
        for name in (name for name in AFFINE if name in times and shape == SHAPES[0]):
            mine = median(times[name]["reglib"])
            for peer in peers[1:]:
                least = 1 if peer == GRID_SAMPLE else 8
                if median(times[name][peer]) < least * mine:
                    print(f"{name} is less than {least} times as fast as {peer}")


if __name__ == "__main__":
    main()
