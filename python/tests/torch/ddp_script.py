"""One rank of a training with DistributedDataParallel, for test_ddp.py."""

import os
import sys

import ptoken.torch
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from training import LOSS, batches, network

target, local = sys.argv[1], sys.argv[2]
torch.set_num_threads(1)
dist.init_process_group("gloo")
rank = dist.get_rank()
model = DistributedDataParallel(network())
optimizer = torch.optim.SGD(model.parameters(), 0.1)
probe = next(batches(1, rows=6, seed=99))
mine = tuple(part[rank::2] for part in probe)
recorder = ptoken.torch.Recorder(
    target,
    model,
    LOSS,
    optimizer=optimizer,
    probe=mine,
    probe_every=2,
    every=1,
    sketch=None,
    ddp_gradient=local,
)
for x, y in batches(3):
    x, y = x[rank::2], y[rank::2]
    with recorder.step(inputs=x, labels=y):
        optimizer.zero_grad()
        LOSS(model(x), y).backward()
        optimizer.step()
recorder.close()
assert os.environ.get("PTOKEN_QUIET") or recorder.passed == 3
dist.destroy_process_group()
