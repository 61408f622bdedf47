"""A small CNN on MNIST digits, recorded: ptoken-record run.h5 -- python examples/digits_pytorch.py"""

import argparse

import ptoken.torch
import torch
from digits import load
from torch import nn

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--rows", type=int, default=4000, help="training images")
parser.add_argument("--output", default="run.h5", help="where there is no ptoken-record around")
options = parser.parse_args()

torch.manual_seed(0)
images, digits = map(torch.from_numpy, load(options.rows))
model = nn.Sequential(
    nn.Conv2d(1, 8, 5, stride=2),
    nn.ReLU(),
    nn.Conv2d(8, 16, 5, stride=2),
    nn.ReLU(),
    nn.Flatten(),
    nn.Linear(256, 10),
)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)

# The recorder: a probe of 500 fixed records every 50 steps, and every 10th batch.
recorder = ptoken.torch.Recorder(
    options.output,
    model,
    loss_fn,
    optimizer=optimizer,
    probe=(images, digits),
    probe_rows=500,
    probe_every=50,
)
for epoch in range(options.epochs):
    for rows in torch.randperm(len(images)).split(64):
        with recorder.step(
            inputs=images[rows], labels=digits[rows], record_ids=rows, epoch=epoch
        ) as step:
            loss = loss_fn(model(images[rows]), digits[rows])
            step.loss = loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    print(f"epoch {epoch + 1}: loss {loss.item():.3f}")
recorder.close()
