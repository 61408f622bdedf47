"""Builders of valid analysis files, as trees (tree.py)."""

import json

import numpy
from build import RUN, SCHEMAS, coarse, encode, ids
from tree import Dataset, Group, Tree

SCHEMA = (SCHEMAS / "ptoken-analysis-1.0.json").read_bytes()
ROWS = (12, 12, 9)
PAIRS = ((0, 0, 3), (1, 0, 2), (0, 1, 3), (1, 2, 4))  # layer, window, components
KINDS = {
    "gaussian": ("nats", "estimate"),
    "donsker_varadhan": ("nats", "lower_bound"),
    "ksg": ("nats", "estimate"),
    "label": ("nats", "lower_bound"),
    "label_accuracy": ("share", "score"),
    "reidentification": ("share", "score"),
    "recoverable_variance": ("share", "score"),
    "novelty": ("furlongs", "guess"),
}
MEASURES = tuple(KINDS)[:7]
FLAGS = "saturated,null_not_beaten,few_rows,heavy_tails"


def lists(measures, flags=FLAGS):
    """The four attributes of /estimates."""
    return {
        "measures": ",".join(measures),
        "units": ",".join(KINDS[name][0] for name in measures),
        "kinds": ",".join(KINDS[name][1] for name in measures),
        "flags": flags,
    }


def root(tree, **attrs):
    marks = {"format": "ptoken-analysis", "version": "1.0", "producer": "conformance 1"}
    tree["/"] = Group(marks | attrs)
    plain = tree.style == "plain"
    tree["/schema"] = Dataset(
        encode(SCHEMA), style="plain" if plain else None, filters=None if plain else [(32015, 19)]
    )
    model = {"name": "small", "layers": [{"name": "conv", "parameters": 36}], "parameters": 36}
    run = {
        "id": RUN,
        "created": "2026-01-31T12:00:00Z",
        "producer": "conformance 1",
        "status": "complete",
        "model": json.dumps(model),
        "training": "{}",
    }
    provenance = {
        "input": "full.h5",
        "inputDigest": "0123456789abcdef" * 4,
        "version": "1.0.0",
        "libraries": {"HDF5": "1.14.3", "Accelerate": "none"},
        "settings": {
            "sigma": 0.5,
            "token": "direction",
            "components": 8,
            "neighbourComponents": 4,
            "neighbours": 3,
            "folds": 0,
            "pairings": 20,
            "candidates": 100,
            "traceSteps": 0,
            "seed": 2**64 - 1,
            "other": [1],
        },
        "more": None,
    }
    warnings = ["few rows", "a word: größe"]
    for name, value in (("run", run), ("provenance", provenance), ("warnings", warnings)):
        tree[f"/{name}"] = Dataset(encode(value), style="plain")


def layers(tree, names=("conv", "body.weight")):
    tree["/layers"] = Group()
    for number, name in enumerate(names):
        tree[f"/layers/L{number:04}"] = Group(
            {
                "name": name,
                "stage": "noised",
                "parameters": numpy.uint64(36 + 84 * number),
                "width": numpy.uint64(36 - 12 * number),
            }
        )


def columns(tree, path, **values):
    """Each value: the data, or the data and its unit."""
    for name, value in values.items():
        data, unit = value if isinstance(value, tuple) else (value, None)
        tree[f"{path}/{name}"] = Dataset(data, {"unit": unit} if unit else {})


def windows(tree, rows):
    count = len(rows)
    entropy, chance = numpy.full(count, 1.25), numpy.full(count, 0.375)
    entropy[2:], chance[2:] = numpy.nan, numpy.nan
    tree["/windows"] = Group()
    columns(
        tree,
        "/windows",
        table=numpy.array([0, 0, 1][:count], "<u4"),
        mode=numpy.array([0, 0, 1][:count], "u1"),
        first_step=numpy.array([0, 5, 0][:count], "<i8"),
        last_step=numpy.array([0, 5, 12][:count], "<i8"),
        epoch=(numpy.array([0, 1.25, numpy.nan][:count], "<f8"), "epochs"),
        loss=numpy.array([2.5, numpy.nan, 0.75][:count], "<f8"),
        rows=numpy.array(rows, "<u4"),
        folds=numpy.full(count, 3, "<u4"),
        candidates=numpy.array(rows, "<u4"),
        label_entropy=(entropy, "nats"),
        label_chance=(chance, "share"),
    )


def cells(tree, pairs):
    values = numpy.array(pairs, "<u4").reshape(-1, 3)
    tree["/cells"] = Group()
    columns(
        tree,
        "/cells",
        layer=values[:, 0].copy(),
        window=values[:, 1].copy(),
        components=values[:, 2].copy(),
        kept_variance=(numpy.linspace(0.5, 0.9, len(pairs)), "share"),
    )


def estimates(tree, pairs, measures, scores, random):
    """scores: the rows behind the figures, by cell and measure."""
    figures = [(cell, place) for cell in range(len(pairs)) for place in range(len(measures))]
    figures = [figure for figure in figures if sum(figure) % 5 != 4]
    count = len(figures)
    value = random.random(count).astype("f2").astype("f8")
    for place, (cell, measure) in enumerate(figures):
        if (cell, measures[measure]) in scores:
            value[place] = scores[cell, measures[measure]].mean()
    error = value / 8
    null, deviation, p = value / 16, value / 32, numpy.arange(count) / 32
    null[3::4], deviation[3::4], p[3::4] = numpy.nan, numpy.nan, numpy.nan
    map_p = p.copy()
    map_p[1::4] = numpy.nan
    ceiling = value + 1
    ceiling[2::5] = numpy.inf
    tree["/estimates"] = Group(lists(measures))
    columns(
        tree,
        "/estimates",
        cell=numpy.array([cell for cell, _ in figures], "<u4"),
        measure=numpy.array([measure for _, measure in figures], "u1"),
        value=value,
        standard_error=error,
        low=value - 1.96 * error,
        high=value + 1.96 * error,
        null_mean=null,
        null_deviation=deviation,
        p=p,
        map_p=map_p,
        ceiling=ceiling,
        rows=numpy.full(count, 8, "<u4"),
        flags=numpy.arange(count, dtype="u1") % 16,
    )


def window_rows(tree, rows, pairs, scores, random):
    tree["/rows"] = Group()
    for window, count in enumerate(rows):
        path = f"/rows/W{window:04}"
        tree[path] = Group()
        step = 5 * window if window < 2 else numpy.arange(count) % 13
        columns(
            tree,
            path,
            record=ids("batch" if window == 2 else "example", range(count)),
            step=numpy.full(count, 0, "<i8") + step,
            fold=(numpy.arange(count) % 3).astype("u1"),
        )
        for cell, (layer, place, components) in enumerate(pairs):
            if place != window:
                continue
            tree[f"{path}/L{layer:04}"] = Group()
            tokens = coarse(random, count, components)
            columns(tree, f"{path}/L{layer:04}", tokens=tokens)
            tree[f"{path}/L{layer:04}/tokens"].style = "zstd" if tree.style == "mixed" else None
            for (owner, measure), values in scores.items():
                if owner == cell and measure in MEASURES:
                    columns(tree, f"{path}/L{layer:04}", **{measure: values})


def analysis(style="zstd", rows=ROWS, pairs=PAIRS, measures=MEASURES, **attrs):
    random = numpy.random.default_rng(3)
    tree = Tree(style=style)
    tree.tight = style == "mixed"
    root(tree, **attrs)
    layers(tree, ("conv", "body.weight") if pairs else ())
    windows(tree, rows)
    cells(tree, pairs)
    scores = {
        (cell, measures[place]): coarse(random, rows[pair[1]]).astype("f8")
        for cell, pair in enumerate(pairs)
        for place in range(0, len(measures), 2 + cell)
        if (cell + place) % 5 != 4
    }
    if style == "plain":
        scores = {}
    estimates(tree, pairs, measures, scores, random)
    window_rows(tree, rows, pairs, scores, random)
    return tree
