# ruff: noqa: B023 - functions that are made in a loop here are called in its same turn
"""Slowdown of training, time blocked, and throughput, against other ways to keep the same gradients."""

import argparse
import os
import shutil
import statistics
import sys
import time
import warnings
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import ptoken
import ptoken.torch
import torch
from ptoken.capture.tables import Sketch
from ptoken.torch.arrays import sketch_rows
from ptoken.torch.layers import layers_of
from ptoken.torch.methods import PerExample
from ptoken.torch.state import undisturbed
from safetensors.torch import save_file
from torch import nn
from torch.utils.tensorboard import SummaryWriter

ROWS = 32
LOSS = nn.CrossEntropyLoss()


class Block(nn.Module):
    """Attention and a feed-forward layer."""

    def __init__(self, width):
        super().__init__()
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        query, key, value = self.attention(self.first(x)).chunk(3, -1)
        x = x + self.out(nn.functional.scaled_dot_product_attention(query, key, value))
        return x + self.down(torch.relu(self.up(self.second(x))))


class Mean(nn.Module):
    """Mean over words."""

    def forward(self, x):
        return x.mean(1)


MODELS = {
    "MLP 784-256-10": (
        lambda: nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10)),
        lambda: torch.randn(ROWS, 784),
    ),
    "CNN 1-32-64-10": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 32, 5), nn.ReLU(), nn.Conv2d(32, 64, 5, stride=2), nn.ReLU(), nn.Flatten(),
            nn.Linear(12544, 10),
        ),
        lambda: torch.randn(ROWS, 1, 36, 36),
    ),
    "transformer 2 x 96": (
        lambda: nn.Sequential(nn.Embedding(500, 96), Block(96), Block(96), Mean(), nn.Linear(96, 10)),
        lambda: torch.randint(0, 500, (ROWS, 64)),
    ),
}  # fmt: skip


class Training:
    """A model, its optimizer, and its gradients of examples."""

    def __init__(self, name):
        torch.manual_seed(0)
        build, self.data = MODELS[name]
        self.model = build()
        self.optimizer = torch.optim.SGD(self.model.parameters(), 0.01)
        self.layers = layers_of(self.model)
        self.ways = PerExample(self.model, self.layers, LOSS, "vmap", None, None)
        self.x, self.y = self.data(), torch.randint(0, 10, (ROWS,))

    def update(self):
        self.optimizer.zero_grad()
        LOSS(self.model(self.x), self.y).backward()
        self.optimizer.step()

    def gradients(self):
        with undisturbed(self.model):
            found, _ = self.ways(self.x, self.y)
        return found


def loop(keep):
    """A training loop that computes the gradients of scheduled steps and keeps them its own way."""

    def run(training, steps, every, folder):
        for step in range(steps):
            if step % every == 0:
                keep(training.gradients(), step, folder)
            training.update()

    return run


def discard(gradients, step, folder):
    pass


class Ours:
    """The recorder, started and fed one step before the clock runs, closed after it has stopped."""

    def __init__(self, sketch):
        self.sketch = sketch

    def begin(self, training, every, folder):
        self.recorder = ptoken.torch.Recorder(
            folder / "run.h5", training.model, LOSS, optimizer=training.optimizer, every=every, sketch=self.sketch,
            collect=["gradients"], trace="examples", per_example="vmap", force=True,
        )  # fmt: skip
        self(training, 1, every, folder)
        self.before = self.recorder.blocked
        # The clock starts at a step that is recorded, as for the others.
        self.recorder._index = every

    def __call__(self, training, steps, every, folder):
        for _ in range(steps):
            with self.recorder.step(inputs=training.x, labels=training.y, record_ids=range(ROWS)):
                training.update()

    def finish(self):
        self.blocked = self.recorder.blocked - self.before
        self.dropped = self.recorder.dropped
        self.recorder.close()


def hdf5(gradients, step, folder):
    with h5py.File(folder / "peer.h5", "a") as file:
        for name, value in gradients.items():
            rows = value.flatten(1).numpy()
            if name not in file:
                chunk = (max(1, min(len(rows), 32768 // rows.shape[1])), min(rows.shape[1], 32768))
                file.create_dataset(
                    name, (0, rows.shape[1]), "f4", maxshape=(None, rows.shape[1]), chunks=chunk, shuffle=True,
                    fletcher32=True, **hdf5plugin.Zstd(3),
                )  # fmt: skip
            data = file[name]
            data.resize(len(data) + len(rows), 0)
            data[-len(rows) :] = rows


def save(gradients, step, folder):
    torch.save(gradients, folder / f"{step}.pt")


def safetensors(gradients, step, folder):
    save_file(
        {name: value.contiguous() for name, value in gradients.items()},
        folder / f"{step}.safetensors",
    )


def tensorboard(gradients, step, folder):
    writer = SummaryWriter(folder / "tb")
    for name, value in gradients.items():
        writer.add_histogram(name, value, step)
    writer.close()


SINKS = {
    "ours": Ours(None), "ours, sketched": Ours(256), "h5py + hdf5plugin": loop(hdf5), "torch.save": loop(save),
    "safetensors": loop(safetensors), "TensorBoard histograms": loop(tensorboard),
}  # fmt: skip


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def slowdown(options, root):
    """Each sink beside the loop that discards the same gradients, round by round."""
    print(
        "| model | every | step ms | gradients ms | "
        + " | ".join(SINKS)
        + " | blocked ms | memcpy ms | dropped |"
    )
    print("|---|---|---|---|" + "---|" * len(SINKS) + "---|---|---|")
    for name in [name for name in MODELS if options.model in name]:
        training = Training(name)
        for _ in range(3):
            training.update(), training.gradients()
        plain = statistics.median(timed(training.update) for _ in range(15))
        taken = statistics.median(timed(training.gradients) for _ in range(9))
        # Fresh gradients each time, as a recorder gets them: what lies in a cache is copied twice as fast.
        copies = []
        target = {key: np.empty(value.shape, "f4") for key, value in training.gradients().items()}
        for _ in range(9):
            found = {key: value.numpy() for key, value in training.gradients().items()}
            copies.append(timed(lambda: [np.copyto(target[key], found[key]) for key in found]))
        copy = statistics.median(copies)
        for every, steps in ((1, 12), (10, 40), (100, 100)):
            ratios = {sink: [] for sink in SINKS}
            blocked, dropped = [], 0
            for number in range(2 if options.short else 3):
                for sink, run in SINKS.items():
                    folder = root / "sink"
                    shutil.rmtree(folder, ignore_errors=True)
                    folder.mkdir()
                    base = loop(discard)
                    # The order changes, so that neither side is always the warmer.
                    pair = [base, run] if number % 2 else [run, base]
                    times = {}
                    for side in pair:
                        if isinstance(side, Ours):
                            side.begin(training, every, folder)
                        times[id(side)] = timed(lambda: side(training, steps, every, folder))
                        if isinstance(side, Ours):
                            side.finish()
                    ratios[sink].append(times[id(run)] / times[id(base)])
                    if sink == "ours":
                        blocked.append(1000 * run.blocked / len(range(0, steps, every)))
                        dropped += run.dropped
            medians = [f"{statistics.median(values):.3f}" for values in ratios.values()]
            print(
                f"| {name} | {every} | {1000 * plain:.1f} | {1000 * taken:.1f} | " + " | ".join(medians)
                + f" | {statistics.median(blocked):.2f} | {1000 * copy:.2f} | {dropped} |", flush=True,
            )  # fmt: skip


def throughput(options, root):
    """Socket to disk: rows handed over until the file has its name, against h5py at the same filter."""
    print(
        "\n| compression | MB | ours MB/s | h5py + hdf5plugin MB/s | ratio | recorder's peak MB | queue MB |"
    )
    print("|---|---|---|---|---|---|---|")
    training = Training("CNN 1-32-64-10")
    steps = 24 if options.short else 72
    rows = []
    for _ in range(steps):
        training.update()
        rows.append({key: value.flatten(1).numpy() for key, value in training.gradients().items()})
    size = sum(value.nbytes for step in rows for value in step.values())
    for compression in ("zstd", "none"):
        ratios, mine, theirs = [], [], []
        for _ in range(2 if options.short else 5):
            peak = []

            recorder = ptoken.Recorder(
                root / "run.h5", every=1, sketch=None, collect=["gradients"], trace="examples", force=True,
                on_full="block", block_seconds=60, compression=compression, sync="never", queue="64MB",
            )  # fmt: skip
            process = recorder._recording.process

            def run():
                for step in rows:
                    with recorder.step() as open_step:
                        open_step.gradients(step)
                peak.append(high_water(process.pid))
                recorder.close()
                assert recorder.dropped == 0

            ours_s = timed(run)

            def peer():
                (root / "peer.h5").unlink(missing_ok=True)
                filters = (
                    {"shuffle": True, "fletcher32": True, **hdf5plugin.Zstd(3)}
                    if compression == "zstd"
                    else {}
                )
                with h5py.File(root / "peer.h5", "w") as file:
                    for key, value in rows[0].items():
                        chunk = (
                            max(1, min(len(value), 32768 // value.shape[1])),
                            min(value.shape[1], 32768),
                        )
                        file.create_dataset(
                            key,
                            (0, value.shape[1]),
                            "f4",
                            maxshape=(None, value.shape[1]),
                            chunks=chunk,
                            **filters,
                        )
                    for step in rows:
                        for key, value in step.items():
                            data = file[key]
                            data.resize(len(data) + len(value), 0)
                            data[-len(value) :] = value
                    file.flush()

            peer_s = timed(peer)
            ratios.append(peer_s / ours_s)
            mine.append(size / 1e6 / ours_s)
            theirs.append(size / 1e6 / peer_s)
        print(
            f"| {compression} | {size / 1e6:.0f} | {statistics.median(mine):.0f} | "
            f"{statistics.median(theirs):.0f} | {statistics.median(ratios):.2f} | {max(peak) / 1e6:.0f} | 64 + 256 |",
            flush=True,
        )


def small(options, root):
    """What a step costs that is not recorded, and sketching on the training thread against copying."""
    x, y = torch.randn(ROWS, 784), torch.randint(0, 10, (ROWS,))
    training = Training("MLP 784-256-10")
    print("\n| a step that is not recorded | microseconds |")
    print("|---|---|")
    for name, disabled in (("not due", False), ("PTOKEN_DISABLE=1", True)):
        os.environ["PTOKEN_DISABLE"] = "1" if disabled else ""
        recorder = ptoken.torch.Recorder(
            root / "run.h5",
            training.model,
            LOSS,
            optimizer=training.optimizer,
            start=10**9,
            force=True,
        )

        def many():
            for _ in range(10_000):
                with recorder.step(inputs=x, labels=y):
                    pass

        print(f"| {name} | {100 * statistics.median(timed(many) for _ in range(5)):.2f} |")
        recorder.close()
    os.environ["PTOKEN_DISABLE"] = ""
    print("\n| rows x numbers to 256 | sketch on the training thread ms | copy ms |")
    print("|---|---|---|")
    for rows, numbers in ((64, 25_000), (64, 100_000)):
        values = torch.randn(rows, numbers)
        target = np.empty((rows, numbers), "f4")
        sketch = Sketch(256, 4, 0)
        sketch_rows(values, sketch)
        made = statistics.median(timed(lambda: sketch_rows(values, sketch)) for _ in range(5))
        copied = statistics.median(
            timed(lambda: np.copyto(target, values.numpy())) for _ in range(5)
        )
        print(f"| {rows} x {numbers} | {1000 * made:.1f} | {1000 * copied:.1f} |", flush=True)


def high_water(pid):
    """Most memory that a process has had, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return 1024 * int(line.split()[1])
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=1, help="threads of PyTorch")
    parser.add_argument("--model", default="", help="part of a model's name")
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warnings.simplefilter("ignore")
    print(
        f"PyTorch {torch.__version__} on {options.threads} thread(s), batches of {ROWS}; ratios to a loop that computes"
    )
    print("and discards the same gradients, medians of rounds that change their order.\n")
    slowdown(options, options.folder)
    throughput(options, options.folder)
    small(options, options.folder)


sys.exit(main())
