import math

import ptoken
import pytest


@pytest.fixture
def opened(analysis):
    with ptoken.open(analysis) as opened:
        yield opened


def test_what_the_figures_came_from(opened):
    assert isinstance(opened, ptoken.Analysis)
    assert opened.provenance["settings"] == {"sigma": 0.1}
    assert opened.warnings == ["few rows"] and opened.run["model"] == "{}"
    assert [layer.name for layer in opened.layers] == ["fc1", "fc2"]
    assert "2 layers, 1 windows, 3 figures" in repr(opened)


def test_records_say_names_not_numbers(opened):
    [window], [cell] = opened.windows, opened.cells
    assert (window.mode, window.rows, window.last_step) == ("trace", 4, 1)
    assert (cell.layer, cell.components, cell.kept_variance) == ("fc1", 2, 0.9)


def test_unknown_measures_and_flags_are_passed_over(opened):
    gaussian, reidentification = opened.estimates
    assert (gaussian.layer, gaussian.measure, gaussian.unit) == ("fc1", "gaussian", "nats")
    assert (gaussian.kind, gaussian.first_step) == ("estimate", 1)
    assert gaussian.flags == ("saturated", "few_rows")
    assert reidentification.flags == ()


def test_nats_convert_to_bits_and_shares_do_not(opened):
    gaussian, reidentification = opened.estimates
    assert gaussian.bits == 2 / math.log(2)
    assert math.isnan(reidentification.bits)


def test_records_are_filtered_by_their_fields(opened):
    estimates = opened.estimates
    assert len(estimates.where(measure="gaussian", layer="fc1")) == 1
    assert len(estimates.where(measure={"gaussian", "reidentification"})) == 2
    assert len(estimates.where(layer="fc2")) == 0
    assert estimates.where(unit="nats")[:1][0] is estimates[0]
    with pytest.raises(TypeError, match="no field 'layr' among layer"):
        estimates.where(layr="fc1")


def test_records_become_data_frames(opened):
    pytest.importorskip("pandas")
    frame = opened.estimates.to_pandas()
    assert frame["value"].tolist() == [2.0, 0.5]
    assert opened.estimates[:0].to_pandas().columns.tolist() == frame.columns.tolist()


def test_rows_of_a_window(opened):
    rows = opened.rows(0)
    assert len(rows) == 4 and rows["fold"].tolist() == [0, 1, 0, 1]
    assert rows.text("record")[0] == "000102030405060708090a0b0c0d0e0f"
    assert opened.tokens("fc1", 0).tolist() == opened.tokens(0, -1).tolist()
    scores = opened.scores("fc1", 0, "gaussian")
    assert scores.mean() == opened.estimates[0].value


def test_what_is_not_there_is_a_key_error(opened):
    with pytest.raises(KeyError, match="0 cells of layer 'fc2'"):
        opened.tokens("fc2", 0)
    with pytest.raises(KeyError, match="no scores of 'ksg' among gaussian"):
        opened.scores("fc1", 0, "ksg")
    with pytest.raises(IndexError):
        opened.rows(1)


def test_rows_are_checked_when_they_are_opened(analysis, edit):
    def shorten(file):
        del file["rows/W0000/fold"]
        file["rows/W0000/fold"] = file["rows/W0000/step"][:3].astype("u1")

    with ptoken.open(edit(analysis, shorten)) as opened:
        assert len(opened.estimates) == 2
        expected = r"/rows/W0000/fold: expected uint8 \[4\], found uint8 \[3\] \[R-088\]"
        with pytest.raises(ptoken.FormatError, match=expected):
            opened.rows(0)
