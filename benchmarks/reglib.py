"""How fast is reglib? Ratios to a hand-written NumPy loop and to Keras on each installed backend.

    python benchmarks/reglib.py                     # every case, every peer that is installed
    python benchmarks/reglib.py --cases mlp lstm    # some of them
    python benchmarks/reglib.py --rounds 9 --markdown
    python benchmarks/reglib.py --blas-kernels SkylakeX

Augmentation has a program of its own beside this one.

Each peer runs in a process of its own (Keras knows one backend a process). Rounds are
interleaved: in each, every peer does the same work in turn, so that a busy machine is busy for
all. What counts is CPU seconds of the whole process, all threads, with one BLAS thread; the
ratio is taken within a round, and the median over rounds is reported with its quartiles.

NumPy's OpenBLAS chooses its kernels by the processor's name, and takes one that is newer than
itself for a Haswell of 2013: without AVX-512, matrix products take half as long again or twice
as long. What it chose is printed at the end; ``--blas-kernels`` chooses for all peers.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import quantiles

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "reglib" / "data"
BACKENDS = ("jax", "torch", "tensorflow")
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
}

# The work. Each case is a function of a peer's library that returns what is to be timed, and how
# many steps that takes; the clock runs for the returned function only.

Job = tuple[Callable[[], object], int]


def digits():
    import numpy as np

    held = np.load(DATA / "digits.npz")
    x = held["images"].reshape(-1, 64) / 16
    return x.astype("float32"), held["target"].astype("int32")


def library(peer: str):
    """Return the modules under their Keras names: those of reglib, or those of Keras."""
    if peer == "reglib":
        sys.path.insert(0, str(ROOT))
        import reglib.callbacks
        import reglib.layers
        import reglib.models
        import reglib.optimizers
        import reglib.regularizers

        return reglib
    import keras

    return keras


def dense_model(lib, l2: float = 0.0, rate: float = 0.0):
    penalty = lib.regularizers.L2(l2) if l2 else None
    layers = []
    for units in (128, 64):
        layers.append(lib.layers.Dense(units, activation="relu", kernel_regularizer=penalty))
        if rate:
            layers.append(lib.layers.Dropout(rate))
    model = lib.models.Sequential([*layers, lib.layers.Dense(10, activation="softmax")])
    model.compile(lib.optimizers.Adam(), "sparse_categorical_crossentropy")
    return model


def mlp(peer: str, l2: float = 0.0, rate: float = 0.0) -> Job:
    x, y = digits()
    epochs = 10
    steps = epochs * -(-len(x) // 32)
    if peer == "numpy":
        state = hand_written_state(0)
        hand_written_fit(state, x, y, 1)
        return (lambda: hand_written_fit(state, x, y, epochs)), steps
    model = dense_model(library(peer), l2, rate)
    model.fit(x, y, batch_size=32, epochs=1, verbose=0)
    return (lambda: model.fit(x, y, batch_size=32, epochs=epochs, verbose=0)), steps


def mlp_regularized(peer: str) -> Job:
    return mlp(peer, l2=1e-4, rate=0.3)


def sweep(peer: str) -> Job:
    """Ten fresh models with validation: what an experiment over settings or seeds does."""
    x, y = digits()
    lib = library(peer)

    def run():
        for k in range(10):
            dense_model(lib, l2=10.0 ** -(k + 1)).fit(
                x[:1200],
                y[:1200],
                batch_size=32,
                epochs=10,
                validation_data=(x[1200:], y[1200:]),
                verbose=0,
            )

    return run, 10


def cnn(peer: str) -> Job:
    x, y = digits()
    x = x.reshape(-1, 8, 8, 1)
    lib = library(peer)
    layers = lib.layers
    model = lib.models.Sequential(
        [
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(lib.optimizers.Adam(), "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=32, epochs=1, verbose=0)
    epochs = 3
    steps = epochs * -(-len(x) // 32)
    return (lambda: model.fit(x, y, batch_size=32, epochs=epochs, verbose=0)), steps


def lstm(peer: str) -> Job:
    import numpy as np

    values = np.load(DATA / "sunspots.npz")["values"].astype("float32") / 100
    windows = np.lib.stride_tricks.sliding_window_view(values, 11)
    x, y = np.ascontiguousarray(windows[:, :-1, None]), np.ascontiguousarray(windows[:, -1:])
    lib = library(peer)
    model = lib.models.Sequential([lib.layers.LSTM(32), lib.layers.Dense(1)])
    model.compile(lib.optimizers.RMSprop(), "mse")
    model.fit(x, y, batch_size=32, epochs=1, verbose=0)
    epochs = 20
    steps = epochs * -(-len(x) // 32)
    return (lambda: model.fit(x, y, batch_size=32, epochs=epochs, verbose=0)), steps


CASES: dict[str, tuple[Callable[[str], Job], str]] = {
    "mlp": (mlp, "training step, digits MLP 64-128-64-10, Adam, batch 32"),
    "mlp-reg": (mlp_regularized, "the same with L2 and two dropouts"),
    "sweep": (sweep, "ten fresh models with validation, a model"),
    "cnn": (cnn, "training step, digits CNN with two Conv2D, batch 32"),
    "lstm": (lstm, "training step, LSTM(32) on sunspots, window 10, batch 32"),
}

# Fresh processes: what a reader waits for.

FIRST_FIT = """
import numpy as np
from {package}.models import Sequential
from {package}.layers import Dense
rng = np.random.default_rng(0)
x, y = rng.random((512, 64), dtype="float32"), rng.integers(0, 10, 512).astype("int32")
model = Sequential([Dense(128, activation="relu"), Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, epochs=1, verbose=0)
"""
FRESH: dict[str, tuple[str, dict[str, str]]] = {
    "import": (
        "import in a fresh process",
        {"numpy": "import numpy", "reglib": "import reglib", "keras": "import keras"},
    ),
    "import-fit": (
        "import of what fit needs, in a fresh process",
        {
            "numpy": "import numpy",
            "reglib": "from reglib import layers, models",
            "keras": "from keras import layers, models",
        },
    ),
    "cold": (
        "cold start: import, build, first epoch",
        {
            "reglib": FIRST_FIT.format(package="reglib"),
            "keras": FIRST_FIT.format(package="keras"),
        },
    ),
}


SHAPES = [(64, 128), (128,), (128, 64), (64,), (64, 10), (10,)]


def hand_written_state(seed: int) -> dict:
    """Return flat buffers for the digits MLP and Adam: weights, gradients, two means."""
    import numpy as np

    rng = np.random.default_rng(seed)
    size = sum(int(np.prod(shape)) for shape in SHAPES)
    state = {name: np.zeros(size, dtype="float32") for name in "wgmvs"}
    for W in views(state["w"])[::2]:
        limit = np.sqrt(6 / sum(W.shape))
        W[...] = rng.uniform(-limit, limit, W.shape)
    return state | {"rng": rng, "t": 0}


def hand_written_fit(state: dict, x, y, epochs: int, batch: int = 32) -> float:
    """Train the digits MLP without any library: views into flat buffers, all steps in place.

    Returns the last epoch's mean loss.
    """
    import numpy as np

    rng, t = state["rng"], state["t"]
    w, g, m, v, scratch = (state[name] for name in "wgmvs")
    W1, b1, W2, b2, W3, b3 = views(w)
    dW1, db1, dW2, db2, dW3, db3 = views(g)
    rows = np.arange(batch)
    beta_1, beta_2, rate, epsilon = 0.9, 0.999, 0.001, 1e-7
    mean_loss = 0.0
    for _ in range(epochs):
        order = rng.permutation(len(x))
        xs, ys = x[order], y[order]
        total = 0.0
        for start in range(0, len(x), batch):
            xb, yb = xs[start : start + batch], ys[start : start + batch]
            n = len(xb)
            a1 = xb @ W1
            a1 += b1
            np.maximum(a1, 0, out=a1)
            a2 = a1 @ W2
            a2 += b2
            np.maximum(a2, 0, out=a2)
            p = a2 @ W3
            p += b3
            p -= p.max(axis=1, keepdims=True)
            np.exp(p, out=p)
            p /= p.sum(axis=1, keepdims=True)
            total -= float(np.log(p[rows[:n], yb]).sum())
            p[rows[:n], yb] -= 1
            p *= 1 / n
            np.matmul(a2.T, p, out=dW3)
            np.add.reduce(p, axis=0, out=db3)
            d2 = p @ W3.T
            d2 *= a2 > 0
            np.matmul(a1.T, d2, out=dW2)
            np.add.reduce(d2, axis=0, out=db2)
            d1 = d2 @ W2.T
            d1 *= a1 > 0
            np.matmul(xb.T, d1, out=dW1)
            np.add.reduce(d1, axis=0, out=db1)
            t += 1
            alpha = rate * (1 - beta_2**t) ** 0.5 / (1 - beta_1**t)
            m *= beta_1
            np.multiply(g, 1 - beta_1, out=scratch)
            m += scratch
            v *= beta_2
            np.multiply(g, g, out=scratch)
            scratch *= 1 - beta_2
            v += scratch
            np.sqrt(v, out=scratch)
            scratch += epsilon
            np.divide(m, scratch, out=scratch)
            scratch *= alpha
            w -= scratch
        mean_loss = total / len(x)
    state["t"] = t
    return mean_loss


def views(flat) -> list:
    """Return the kernels and biases that lie in a flat buffer."""
    import numpy as np

    ends = np.cumsum([int(np.prod(shape)) for shape in SHAPES])
    parts = np.split(flat, ends[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, SHAPES, strict=True)]


# Running it.


class Worker:
    """A process for one peer that does a case's work on request and says how long it took."""

    def __init__(self, peer: str, case: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--worker", peer, case],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(peer),
        )
        self.ready = self.answer()

    def answer(self) -> dict:
        """Return what the process says next, or that it said nothing."""
        line = self.process.stdout.readline()
        if not line:
            last = self.process.stderr.read().strip().splitlines()[-1:]
            return {"error": last[0] if last else "no answer"}
        return json.loads(line)

    def time(self) -> dict:
        """Have the work done once; return CPU and wall seconds a step."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


def work(peer: str, case: str) -> None:
    """Be a worker: prepare once, then time the work once for each line that comes in."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not get between the answers
    job, steps = CASES[case][0](peer)
    job()
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        job()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        print(json.dumps({"cpu": cpu / steps, "wall": wall / steps}), file=answers, flush=True)


def environment(peer: str) -> dict[str, str]:
    env = {**os.environ, **ONE_THREAD}
    path = [str(ROOT), env.get("PYTHONPATH", "")]
    env["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    if peer.startswith("keras"):
        env["KERAS_BACKEND"] = peer.partition("+")[2] or "jax"
    return env


def blas_kernels() -> str:
    """Return the name of the kernels that NumPy's BLAS uses in the workers."""
    program = "import numpy, threadpoolctl as t; print(t.threadpool_info()[0]['architecture'])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment("numpy"),
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() or "unknown (threadpoolctl would tell)"


def measure_case(case: str, peers: list[str], rounds: int, restarts: int) -> dict[str, list]:
    """Return CPU and wall seconds a step, one pair a round, for each peer that can do it."""
    times: dict[str, list] = {peer: [] for peer in peers}
    errors: dict[str, str] = {}
    for _ in range(restarts):  # a new process has another memory layout, and so another speed
        workers = {peer: Worker(peer, case) for peer in peers if peer not in errors}
        errors |= {p: w.ready["error"] for p, w in workers.items() if "error" in w.ready}
        for number in range(rounds):
            order = [peer for peer in workers if peer not in errors]
            for peer in order[number % 2 :: 1] + order[: number % 2]:
                result = workers[peer].time()
                if "error" in result:
                    errors[peer] = result["error"]
                else:
                    times[peer].append((result["cpu"], result["wall"]))
        for worker in workers.values():
            worker.close()
    return {p: times[p] or errors.get(p, "") for p in peers}


def measure_fresh(programs: dict[str, str], rounds: int) -> dict[str, list]:
    times: dict[str, list] = {peer: [] for peer in programs}
    for number in range(rounds + 1):
        for peer, program in programs.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            wall = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", program],
                env=environment(peer),
                capture_output=True,
                text=True,
            )
            wall = time.perf_counter() - wall
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            if done.returncode:
                times[peer] = done.stderr.strip().splitlines()[-1]
            elif number and isinstance(times[peer], list):  # the first fills the disk cache
                times[peer].append((cpu, wall))
    return times


def rows_of(title: str, times: dict[str, list]) -> list[list[str]]:
    rows = []
    base = times.get("reglib")
    for peer, measured in times.items():
        if not isinstance(measured, list):
            rows.append([title, peer, "-", "-", f"not measured: {measured[:60]}"])
            continue
        cpu = spread([c for c, _ in measured])
        wall = spread([w for _, w in measured])
        ratio = "1"
        if peer != "reglib" and isinstance(base, list):
            low, middle, high = spread(
                [c / b for (c, _), (b, _) in zip(measured, base, strict=True)]
            )
            ratio = f"{middle:.2f} ({low:.2f} to {high:.2f})"
        rows.append([title, peer, shown(cpu[1]), shown(wall[1]), ratio])
    return rows


def spread(values: list[float]) -> tuple[float, float, float]:
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return low, middle, high


def shown(seconds: float) -> str:
    for unit, size in (("s", 1), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


HEADER = ["work", "peer", "CPU", "wall", "CPU, times reglib's (quartiles)"]


def print_tables(tables: Iterator[list[list[str]]], markdown: bool) -> None:
    """Print each case's rows as soon as they are measured; on a terminal as a table of rich."""
    if not markdown and sys.stdout.isatty() and importlib.util.find_spec("rich"):
        from rich.console import Console
        from rich.table import Table

        for rows in tables:
            table = Table(*HEADER)
            for row in rows:
                table.add_row(*row)
            Console().print(table)
        return
    print("| " + " | ".join(HEADER) + " |")
    print("|" + " --- |" * len(HEADER), flush=True)
    for rows in tables:
        for row in rows:
            print("| " + " | ".join(row) + " |", flush=True)


def measured_tables(
    options: argparse.Namespace, peers: list[str], installed: list[str]
) -> Iterator[list[list[str]]]:
    for case in options.cases:
        print(f"measuring {case} ...", file=sys.stderr)
        if case in FRESH:
            title, programs = FRESH[case]
            expanded = {p: s for p, s in programs.items() if p != "keras"}
            if "keras" in programs:
                expanded |= {f"keras+{name}": programs["keras"] for name in installed}
            kept = {p: s for p, s in expanded.items() if p in peers}
            yield rows_of(title, measure_fresh(kept, options.rounds))
        else:
            mine = [p for p in peers if p != "numpy" or case == "mlp"]
            times = measure_case(case, mine, options.rounds, options.restarts)
            yield rows_of(CASES[case][1], times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", nargs="+", choices=[*CASES, *FRESH], default=[*CASES, *FRESH])
    parser.add_argument("--peers", nargs="+", help="by default all that are installed")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds a process")
    parser.add_argument("--restarts", type=int, default=3, help="processes a peer")
    parser.add_argument("--markdown", action="store_true", help="a plain table on a terminal too")
    parser.add_argument("--blas-kernels", help="OpenBLAS's name for a kind of processor")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(*options.worker)
        return
    if options.blas_kernels:
        ONE_THREAD["OPENBLAS_CORETYPE"] = options.blas_kernels
    here = Path(__file__).resolve().parent
    sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != here]
    found = importlib.util.find_spec
    installed = [name for name in BACKENDS if found("keras") and found(name)]
    peers = options.peers or ["reglib", "numpy", *(f"keras+{name}" for name in installed)]
    missing = [name for name in BACKENDS if name not in installed]
    print_tables(measured_tables(options, peers, installed), options.markdown)
    print(f"\nBLAS kernels of NumPy: {blas_kernels()}.")
    if missing:
        print(f"\nNot installed here, so not measured: Keras with {' and '.join(missing)}.")


if __name__ == "__main__":
    main()
