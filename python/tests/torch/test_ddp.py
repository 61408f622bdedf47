"""Two processes with gloo: a file for each rank, under one run id and one key, that merge into one."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import ptoken
import pytest
import torch
from recording import environment, program
from training import LOSS, batches, network, one_by_one

SCRIPT = Path(__file__).with_name("ddp_script.py")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def torchrun(folder, target, gradient):
    words = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    words += ["--master-port", str(free_port()), str(SCRIPT), target, gradient]
    return subprocess.Popen(
        words if target == "run.h5" else [program("ptoken-record"), "run.h5", "--", *words],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@pytest.mark.parametrize(
    "around", [False, True], ids=["a recorder of its own", "under ptoken-record"]
)
@pytest.mark.parametrize("gradient", ["averaged", "local"])
def test_each_rank_has_a_file_of_one_run_and_they_merge(tmp_path, gradient, around):
    process = torchrun(tmp_path, "other.h5" if around else "run.h5", gradient)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said.decode()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.rank0.h5", "run.rank1.h5"], (
        said.decode()
    )
    subprocess.run(
        [program("ptoken-inspect"), "merge", "run.rank0.h5", "run.rank1.h5", "-o", "run.h5"],
        cwd=tmp_path,
        check=True,
    )
    # The truth: one process, all rows.
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    truth, averaged = [], []
    for x, y in batches(3):
        truth.append(one_by_one(model, x, y)["0"])
        optimizer.zero_grad()
        LOSS(model(x), y).backward()
        averaged.append(torch.cat([model[0].weight.grad.flatten(), model[0].bias.grad]))
        optimizer.step()
    with ptoken.open(tmp_path / "run.h5") as snap:
        table, batch = snap.tables["trace"], snap.tables["batches"]
        assert list(snap.steps["participants"][snap.steps["mode"] == 1]) == [2, 2, 2]
        for step in range(3):
            rows = table.rows(step)
            ranks = table.observations["rank"][rows]
            ours = table.gradients["0"][rows]
            for rank in (0, 1):
                np.testing.assert_allclose(
                    ours[ranks == rank], truth[step][rank::2], rtol=1e-4, atol=1e-6
                )
            seen = batch.gradients["0"].at(step)
            assert seen.shape[0] == 2
            if gradient == "averaged":
                expected = np.stack([averaged[step]] * 2)
            else:
                expected = np.stack([truth[step][rank::2].mean(0) for rank in (0, 1)])
            np.testing.assert_allclose(seen, expected, rtol=1e-4, atol=1e-6)
        # The same record has the same id on every rank.
        assert len(np.unique(snap.tables["probe"].observations["record"], axis=0)) == 6
    info = subprocess.run(
        [program("ptoken-inspect"), "info", "run.h5", "--json"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    captures = json.loads(info.stdout)["captures"]
    assert [capture["method"]["ddp_gradient"] for capture in captures] == [gradient] * 2
    assert [capture["ended"] for capture in captures] == ["bye"] * 2


FSDP = """
import torch, torch.distributed as dist
from torch import nn
from torch.distributed.fsdp import fully_shard
import ptoken, ptoken.torch
dist.init_process_group("gloo")
model = fully_shard(nn.Linear(4, 4))
try:
    ptoken.torch.Recorder("run.h5", model, nn.MSELoss())
except ptoken.RecordingError as error:
    print("refused:", error)
dist.destroy_process_group()
"""


def test_a_model_that_fsdp_has_sharded_is_refused_with_the_remedy(tmp_path):
    rank = {
        "RANK": "0",
        "WORLD_SIZE": "1",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
    }
    outcome = subprocess.run(
        [sys.executable, "-c", FSDP],
        cwd=tmp_path,
        env=environment(**rank),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "refused: " in outcome.stdout and "parameters are sharded" in outcome.stdout, (
        outcome.stderr
    )
    assert list(tmp_path.iterdir()) == []
