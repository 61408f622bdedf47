"""A small transformer that tells sentences of Python's manual by their topic, recorded.

ptoken-record run.h5 -- python examples/text_transformer.py
"""

import argparse
import re
from pydoc_data.topics import topics

import ptoken.torch
import torch
from torch import nn

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--rows", type=int, default=2000, help="sentences")
parser.add_argument("--output", default="run.h5", help="where there is no ptoken-record around")
options = parser.parse_args()

LENGTH, CLASSES = 24, 8


def sentences():
    """Words of sentences of the longest topics, and the topic of each."""
    longest = sorted(topics, key=lambda name: -len(topics[name]))[:CLASSES]
    for label, topic in enumerate(longest):
        for sentence in re.split(r"(?<=[.:])\s+", topics[topic]):
            words = re.findall(r"[a-z]+", sentence.lower())
            if len(words) >= 5:
                yield words[:LENGTH], label


torch.manual_seed(0)
texts = list(sentences())
texts = [texts[i] for i in torch.randperm(len(texts))[: options.rows].tolist()]
counts: dict[str, int] = {}
for words, _ in texts:
    for word in words:
        counts[word] = counts.get(word, 0) + 1
known = {word: i + 1 for i, word in enumerate(sorted(counts, key=lambda w: (-counts[w], w))[:499])}
tokens = torch.tensor(
    [[known.get(w, 0) for w in words] + [0] * (LENGTH - len(words)) for words, _ in texts]
)
labels = torch.tensor([label for _, label in texts])


class Block(nn.Module):
    """Attention and a feed-forward layer, each after a norm."""

    def __init__(self, width):
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.attention = nn.Linear(width, 3 * width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x):
        query, key, value = self.attention(self.norms[0](x)).chunk(3, -1)
        x = x + nn.functional.scaled_dot_product_attention(query, key, value)
        return x + self.down(torch.relu(self.up(self.norms[1](x))))


class Classifier(nn.Module):
    """Embedding, two blocks, mean over words."""

    def __init__(self, width=32):
        super().__init__()
        self.embedding = nn.Embedding(500, width, padding_idx=0)
        self.blocks = nn.Sequential(Block(width), Block(width))
        self.out = nn.Linear(width, CLASSES)

    def forward(self, tokens):
        return self.out(self.blocks(self.embedding(tokens)).mean(1))


model = Classifier()
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=0.003)
recorder = ptoken.torch.Recorder(
    options.output,
    model,
    loss_fn,
    optimizer=optimizer,
    probe=(tokens, labels),
    probe_rows=500,
    probe_every=50,
)
for epoch in range(options.epochs):
    for rows in torch.randperm(len(tokens)).split(64):
        with recorder.step(
            inputs=tokens[rows], labels=labels[rows], record_ids=rows, epoch=epoch
        ) as step:
            loss = loss_fn(model(tokens[rows]), labels[rows])
            step.loss = loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    print(f"epoch {epoch + 1}: loss {loss.item():.3f}")
recorder.close()
