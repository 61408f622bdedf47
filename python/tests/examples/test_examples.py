"""Each example from capture to report, with the real programs."""

import json
import subprocess
import sys

import ptoken
import pytest
from recording import ROOT, environment, program

EXAMPLES = {
    "digits_pytorch.py": {"layers": ["0", "2", "5"], "per_example": "vmap"},
    "digits_jax.py": {"layers": ["hidden", "out"], "per_example": "vmap"},
    "text_transformer.py": {"layers": ["embedding", "out"], "per_example": "vmap"},
    "private_opacus.py": {"layers": ["0", "2", "5"], "per_example": "opacus"},
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_goes_from_capture_to_report(tmp_path, name):
    def run(*words):
        outcome = subprocess.run(
            words, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=300
        )
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
        return outcome

    script = [sys.executable, str(ROOT / "examples" / name), "--epochs", "1", "--rows", "1500"]
    said = run(program("ptoken-record"), "run.h5", "--progress", "0", "--", *script)
    assert "epoch 1: loss" in said.stdout and "Next: ptoken-analyze run.h5" in said.stderr
    assert "error:" not in said.stderr and "Warning: ptoken" not in said.stderr, said.stderr
    with ptoken.open(tmp_path / "run.h5") as snap:
        assert snap.status == "complete"
        assert set(EXAMPLES[name]["layers"]) <= set(snap.tables["probe"].gradients)
        probes = sum(snap.steps["mode"] == 0)
        assert 480 * probes <= len(snap.tables["probe"].observations) <= 500 * probes
    info = json.loads(run(program("ptoken-inspect"), "info", "run.h5", "--json").stdout)
    [capture] = info["captures"]
    assert capture["method"]["per_example"] == EXAMPLES[name]["per_example"]
    assert capture["dropped_steps"] == 0 and capture["ended"] == "bye" and capture["problems"] == []
    run(program("ptoken-inspect"), "validate", "run.h5")
    run(program("ptoken-analyze"), "run.h5", "-q")
    run(program("ptoken-report"), "--html", "run.h5", "-q")
    assert (tmp_path / "run.report.html").stat().st_size > 10_000
    # Real gradients of real data leak: the last layer shows the label.
    with ptoken.open(tmp_path / "run.analysis.h5") as analysis:
        last = EXAMPLES[name]["layers"][-1]
        figures = [
            f for f in analysis.estimates if f.measure == "label_accuracy" and f.layer == last
        ]
        assert max(figure.value for figure in figures) > 0.5
