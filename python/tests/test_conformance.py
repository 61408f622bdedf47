"""The files of spec/conformance and samples, whose right readings stand beside them."""

import json
from pathlib import Path

import ptoken
import pytest
from conftest import ROOT
from reading import reading

CONFORMANCE = ROOT / "spec/conformance"
VALID = [*(CONFORMANCE / "valid").glob("*.h5"), *(ROOT / "samples").glob("*/*.h5")]
FAULTS_FILE = CONFORMANCE / "invalid/faults.json"
FAULTS = json.loads(FAULTS_FILE.read_text()) if FAULTS_FILE.exists() else {}

# Rules on single values: a validator holds them, this reader leaves them for speed.
VALUE_RULES = {"R-022", "R-025", "R-033", "R-036", "R-046", "R-091", "R-092"}
VALUE_FAULTS = {"rows-record-twice", "settings-seed-large", "step-trainable-2", "weight-infinite"}


def named(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize(
    "path", sorted(p for p in VALID if p.with_suffix(".json").exists()), ids=named
)
def test_a_valid_file_has_its_expected_reading(path):
    assert reading(str(path)) == json.loads(path.with_suffix(".json").read_text())


@pytest.mark.parametrize("name", FAULTS)
def test_an_invalid_file_is_refused_under_its_requirement(name):
    expected = FAULTS[name]["requirement"]
    try:
        reading(str(CONFORMANCE / f"invalid/{name}.h5"))
    except ptoken.FormatError as error:
        assert error.requirement == expected, str(error)
    else:
        assert expected in VALUE_RULES or name in VALUE_FAULTS, FAULTS[name]["fault"]
