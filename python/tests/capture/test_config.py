import json

import pytest
from ptoken import CaptureConfig, RecordingError
from ptoken.capture import Schedule


def test_the_later_of_code_file_and_environment_wins(tmp_path, monkeypatch):
    file = tmp_path / "capture.json"
    file.write_text(json.dumps({"every": 20, "sketch": 64, "collect": ["gradients", "labels"]}))
    assert CaptureConfig.load({"every": 5, "seed": 3}, sketch=128).every == 5
    config = CaptureConfig.load(str(file), every=5, seed=3)
    assert (config.every, config.sketch, config.seed) == (20, 64, 3)
    assert config.collect == ("gradients", "labels")
    monkeypatch.setenv("PTOKEN_CONFIG", str(file))
    monkeypatch.setenv("PTOKEN_EVERY", "50")
    monkeypatch.setenv("PTOKEN_SKETCH", "none")
    monkeypatch.setenv("PTOKEN_BUDGET", "2GB")
    monkeypatch.setenv("PTOKEN_STEPS", "1, 5,9")
    monkeypatch.setenv("PTOKEN_RAW", "yes")
    config = CaptureConfig.load(None, every=5)
    assert (config.every, config.sketch, config.budget, config.steps) == (
        50,
        None,
        2_000_000_000,
        (1, 5, 9),
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"evry": 3}, "found 'evry'. Did you mean every?"),
        ({"every": 0}, "every: expected an integer of at least 1, found 0"),
        ({"every": 1.5}, "expected an integer"),
        ({"every": True}, "expected an integer"),
        ({"include": "("}, "include: expected a regular expression"),
        ({"collect": ["gradient"]}, "collect: expected some of gradients, batch_gradients"),
        ({"reductions": "median"}, "reductions: expected some of norm"),
        ({"dtype": "float8"}, "dtype: expected float32 or float16 or bfloat16, found 'float8'"),
        ({"budget": "lots"}, "budget: expected a size such as 500MB or 2GB, found 'lots'"),
        ({"steps": "all"}, "steps: expected a list of integers"),
        ({"raw": False}, "raw: expected true where there are no reductions"),
        ({"raw": 1}, "raw: expected true or false"),
        ({"trace": "some"}, "trace: expected all or examples or batches or none"),
        ({"sketch_nonzeros": 17}, "sketch_nonzeros: expected 1 to 16"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(settings, words):
    with pytest.raises(RecordingError) as error:
        CaptureConfig.load(None, **settings)
    assert words in str(error.value)


def test_a_wrong_file_or_variable_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.json").write_text("[1]")
    with pytest.raises(RecordingError, match=r"a\.json: expected a JSON object"):
        CaptureConfig.load(str(tmp_path / "a.json"))
    with pytest.raises(RecordingError, match=r"b\.json: cannot read settings"):
        CaptureConfig.load(str(tmp_path / "b.json"))
    monkeypatch.setenv("PTOKEN_EVERY", "often")
    with pytest.raises(
        RecordingError, match="PTOKEN_EVERY: every: expected a number, found 'often'"
    ):
        CaptureConfig.load(None)


def test_schedules():
    def steps(schedule):
        return [step for step in range(1001) if schedule.includes(step)]

    assert steps(Schedule(300, 10, 700)) == [10, 310, 610]
    assert steps(Schedule(steps=[7, 3, 7])) == [3, 7]
    log = steps(Schedule(log_spaced=5))
    assert log == [0, 1, 2, 3, 4, 6, 10, 16, 25, 40, 63, 100, 158, 251, 398, 631, 1000]
    assert Schedule(10).count(95) == 10
    assert Schedule(3, 1, 9).describe() == {"start": 1, "end": 9, "every": 3}


def test_layers_are_chosen_by_regular_expressions():
    names = ["conv1", "conv2", "fc"]
    assert CaptureConfig(include="conv").choose(names) == ["conv1", "conv2"]
    assert CaptureConfig(exclude="^conv1$").choose(names) == ["conv2", "fc"]
    with pytest.raises(
        RecordingError, match=r"include='lstm', exclude=None leave none .*: conv1, conv2, fc\."
    ):
        CaptureConfig(include="lstm").choose(names)
