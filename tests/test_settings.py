"""Settings are checked before any work, and what a user types is never grammar."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from tests.small_footage import small_model, write_clips
from tlae import compose
from tlae.cli import COMMANDS, main
from tlae.command_line import parse
from tlae.image_sets.judge_file import Judge, save_judge
from tlae.image_sets.novelty import fit_novelty
from tlae.model_file import save_model


def error_of(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a refused command line ends in."""
    assert main(words) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def composed(words: list[str]) -> object:
    request = parse(words[0], words[1:])
    return OmegaConf.to_container(compose.compose(request), resolve=True)


TEXTS = [
    "${x}",
    "a${oc.env:HOME}b",
    r"a\${b}",
    "back\\",
    "two\\\\",
    "it's",
    '"',
    "a,b",
    "[x",
    "{",
    "=",
    "*",
]


@pytest.mark.parametrize("text", TEXTS)
def test_text_reaches_the_command_as_it_was_typed(text: str) -> None:
    words = [
        "score",
        f"model_file={text}",
        f"footage={text}",
        f"name={text}",
        f"paths.cache={text}",
    ]
    cfg = composed(words)
    assert isinstance(cfg, dict)
    found = cfg["model_file"], cfg["footage"]["path"], cfg["name"], cfg["paths"]["cache"]
    assert found == (text,) * 4


def test_a_folder_called_like_a_home_is_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    save_model(small_model(), tmp_path / "m.safetensors")
    write_clips(tmp_path / "~tilde-folder", (4,))
    words = [
        "score",
        "model_file=m.safetensors",
        "footage=~tilde-folder",
        "name=s",
        "paths.cache=c",
    ]
    assert main([*words, "scoring.threshold=1"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["train", "footage=null"], "footage must be given, got null"),
        (["train", "footage="], "footage must not be empty"),
        (["train", "footage=x", "footage.size_hw=48"], "2 values in brackets"),
        (["train", "footage=x", "footage.size_hw=48,64"], "2 values in brackets"),
        (["score", "footage=x", "model_file=y", "scoring.threshold=0,5"], "with a point"),
        (["train", "footage=x", "seed=1.5"], "seed must be a whole number"),
        (["train", "footage=x", "overwrite=perhaps"], "overwrite must be true or false"),
        (["train", "footage=x", "trainer.devices={"], "must be closed"),
        (["train", "footage=x", "model.widths=abc"], "model.widths must be of another type"),
        (["score", "--model_file=x"], "without dashes: model_file=x"),
        (["novelty", "fit", "images=x", "checkpoints=y"], "did you mean paths.checkpoints?"),
        (["train", "footage=rtsp://camera/1"], "record it first"),
        (["train", "footage=x", "training.batch_size=0"], "training.batch_size must be in [1,"),
        (
            ["train", "footage=x", "training.learning_rate=nan"],
            "learning_rate must be > 0",
        ),
        (["train", "footage=x", "trainer.max_epochs=abc"], "trainer.max_epochs must be of type"),
        (["train", "footage=x", "trainer.max_epochs=-7"], "trainer.max_epochs must be >= 1"),
        (["train", "footage=x", "footage.channels=2"], "footage.channels must be one of 1, 3"),
        (["train", "footage=x", "footage.strides=[0]"], "footage.strides must be"),
        (["train", "footage=x", "footage.holdout=1.5"], "footage.holdout must be in (0, 0.5]"),
        (["train", "footage=x", "scoring.alarms_per_day=-3"], "alarms_per_day must be > 0"),
        (["train", "footage=x", "scoring.false_alarm_rate=2"], "rate must be in (0, 1)"),
        (["score", "model_file=m", "footage=x", "batch_frames=0"], "batch_frames must be in"),
        (["score", "model_file=m", "footage=x", "device=gpu"], "device must be auto"),
        (["events", "scores=s", "low=3"], "low must be in (0, 1], got 3"),
        (["train", "footage=x", "seed=${x}"], "seed must be a whole number, got '${x}'"),
        (["train", "footage=x", "model=null"], "no model is called 'null'"),
        (["train", "footage=x", "~seed"], "key=value"),
        (["train", "footage=x", "trainer.devices=0"], "trainer"),
        (["train", "footage=x", "trainer.gradient_clip_val=nan"], "finite number"),
        (["train", "footage=x", "trainer.max_epochs=0"], "trainer.max_epochs must be >= 1"),
        (["train", "footage=x", "trainer=null"], "settings with names of their own"),
        (["render", "scores=s", "layout=sidebyside"], "did you mean side_by_side?"),
        (["explore", "descriptors=d", "port=99999"], "port must be in"),
        (["novelty", "fit", "images=x", "scaler=foo"], "scaler must be one of"),
        (["novelty", "fit", "images=x", "folds=1"], "folds must be in [2, 10000]"),
        (["filter", "fit", "good=x", "bad=y", "folds=1"], "folds must be in [2, 10000]"),
        (["filter", "fit", "good=x", "bad=y", "false_alarm_rate=1"], "rate must be in (0, 1)"),
        (["render", "scores=s", "start_s=nan"], "start_s must be"),
        (["render", "paths.scores=x"], "no setting 'paths.scores'; did you mean scores?"),
        (["report", "scores=s", "trainer.max_steps=2"], "no setting 'trainer'"),
        (["calibrate", "model_file=m", "footage=x", "trainer.max_steps=2"], "no setting 'trainer'"),
        (["train", "footage=x", "+foo=1"], "+foo is no setting"),
        (["train", "footage=x", "hydra.verbose=true"], "hydra.verbose is no setting"),
        (["train", "footage=x", "trainer.limit_train_batches=0"], "must be > 0, got 0"),
        (["scene", "out=x", "test_frames=1"], "test_frames must be in"),
        (["plant", "footage=x", "out=y", "train_share=2"], "train_share must be in (0, 1)"),
        (["benchmark", "footage=x", "stills.sizes=[7]"], "sizes must be in"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_the_rule(
    words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert expected in error_of(words, capsys)


@pytest.mark.parametrize(
    "words",
    [
        ["filter", "score", f"model_file={'x' * 300}", "images=."],
        ["benchmark", "footage=n", "train_split=c0", "test_split=c1", f"out={'x' * 300}"],
    ],
)
def test_a_name_that_no_disk_takes_is_one_line(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_clips(tmp_path / "n", (4, 4))
    monkeypatch.chdir(tmp_path)
    assert "a name must be shorter than '" in error_of(words, capsys)


@pytest.mark.parametrize("command", ["score", "calibrate", "events"])
def test_a_threshold_beside_a_budget_is_a_contradiction(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"score": ["model_file=m", "footage=x"], "events": ["scores=s"]}
    words = [command, *given.get(command, given["score"])]
    words += ["scoring.threshold=1", "scoring.alarms_per_day=2"]
    assert "leaves nothing for scoring.alarms_per_day" in error_of(words, capsys)


def test_a_file_of_the_novelty_commands_says_what_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import numpy as np

    values = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    preparation, estimator, calibration = fit_novelty(values, "isolation_forest", folds=2)
    judge = Judge(
        "novelty", "isolation_forest", preparation, estimator, {}, {}, False, calibration, 0.5
    )
    save_judge(judge, tmp_path / "m.safetensors")
    words = ["score", f"model_file={tmp_path}/m.safetensors", f"footage={tmp_path}"]
    assert "written by `tlae novelty fit`" in error_of(words, capsys)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_default_keeps_its_rule(command: str) -> None:
    request = parse(command, [])
    cfg = compose.compose(request)
    for key in OmegaConf.missing_keys(cfg):
        OmegaConf.update(cfg, key, "x")
    compose.settings_of(command, cfg)


@pytest.mark.parametrize(
    "setting", ["model.code_channels=-1", "model.widths=[-4,4]", "model.channels=2"]
)
def test_a_net_that_cannot_answer_is_refused_before_footage_is_decoded(
    setting: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    footage = write_clips(tmp_path / "n", (20,))
    words = ["train", f"footage={footage}", "model=cae_small", setting, "name=n"]
    places = [f"paths.{name}={tmp_path}/{name}" for name in ("checkpoints", "cache")]
    assert "model.* must fit" in error_of([*words, *places], capsys)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["seed=1", "seed=2"], "seed must be given once, got 'seed=1' and 'seed=2'"),
        (["footage=a", "footage.path=b"], "footage must be given once"),
        (["model=joint", "model=joint"], "model must be given once"),
    ],
)
def test_a_setting_is_given_once(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_sweep_gives_a_setting_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "-m", "seed=1,2", "seed=3"]) == 2
    assert "seed must be given once" in capsys.readouterr().err
