import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tlae import compose
from tlae.budget import Budget
from tlae.cli import COMMANDS, main
from tlae.command_line import parse
from tlae.log_lines import printed_log
from tlae.scoring.calibrate import Calibration, threshold_of
from tlae.sweep import combinations


def errors_of(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert len(captured.err.strip().splitlines()) == 1, captured.err
    return captured.err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in COMMANDS)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from tlae.cli import main; main(['--help']); "
        "heavy = {'torch', 'hydra', 'numpy', 'cv2', 'pandas'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_help_of_every_command_shows_its_settings_without_torch() -> None:
    code = (
        "import sys; from tlae.cli import main\n"
        f"for command in {list(COMMANDS)}: main([*command.split(), '--help']); print('END')\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    for command, shown in zip(COMMANDS, done.stdout.split("END\n"), strict=False):
        assert f"tlae {command}" in shown
        assert "settings (key=value" in shown


def test_cfg_job_shows_all_and_runs_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["train", f"footage={tmp_path}/none", "name=street", "model=stae_small", "--cfg", "job"]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "StackedAutoencoder" in text
    assert "name: street" in text
    assert "${footage.channels}" in text
    assert main([*words, "--resolve"]) == 0
    assert "${" not in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["scor"], "did you mean score?"),
        (["train", "footage=x", "modle=cae"], "did you mean model?"),
        (["train", "footage=x", "model=convlsmt"], "did you mean convlstm?"),
        (["train", "footage=x", "footage.chanels=3"], "did you mean channels?"),
        (["train", "footage=x", "scoring=publishd"], "did you mean published?"),
        (["score", "footage=x", "model_fil=y"], "did you mean model_file?"),
        (["train", "footage=x", "seed=abc"], "seed"),
        (["train", "footage=x", "trainer.max_steps=[1"], "[1"),
        (["train"], "footage=... must be given"),
        (["score", "footage=x"], "model_file=... must be given"),
        (["train", "footage"], "settings are written key=value"),
        (["train", "--hlep"], "did you mean --help?"),
        (["train", "footage=x", "--cfg", "hydra"], "--cfg takes the word job"),
        (["train", "--config-dir", "/nowhere"], "--config-dir must be a folder"),
    ],
)
def test_a_slip_gets_one_line_with_the_nearest_name(
    words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert expected in errors_of(words, capsys)


def test_unknown_trainer_setting_gets_the_nearest_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from tests.small_footage import write_clips

    footage = write_clips(tmp_path / "n", (4,))
    words = ["train", f"footage={footage}", "trainer.max_stepz=3"]
    assert "did you mean max_steps?" in errors_of(words, capsys)


def composed(words: list[str]) -> dict[str, object]:
    request = parse(words[0], words[1:])
    return dict(compose.compose(request))  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["a b/c=d,e", "cams/*.mp4", "it's", "[x]", "~/p", "C:\\x"])
def test_paths_need_no_quoting(path: str) -> None:
    cfg = composed(["train", f"footage={path}", f"paths.scores={path}"])
    assert cfg["footage"].path == path  # type: ignore[attr-defined]
    assert cfg["paths"].scores == path  # type: ignore[attr-defined]


def test_trainer_settings_reach_the_trainer_section() -> None:
    cfg = composed(["train", "footage=x", "trainer.max_steps=7", "trainer.strategy=ddp"])
    assert cfg["trainer"]["max_steps"] == 7  # type: ignore[index]
    assert cfg["trainer"]["strategy"] == "ddp"  # type: ignore[index]


def test_users_own_folder_of_yaml_is_searched(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/mine.yaml").write_text(
        "# @package _global_\ndefaults: [cae_schema@model]\nmodel: {code_channels: 5}\n"
    )
    cfg = composed(["train", "footage=x", "model=mine", "--config-dir", str(tmp_path)])
    assert cfg["model"].code_channels == 5  # type: ignore[attr-defined]
    assert cfg["model_name"] == "mine"


def test_settings_that_were_changed_leave_the_next_ones_alone() -> None:
    request = parse("train", ["footage=x", "seed=3"])
    compose.compose(request).seed = 99
    assert compose.compose(request).seed == 3


def test_a_file_of_a_user_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    for channels in (5, 6):
        (tmp_path / "model/mine.yaml").write_text(
            "# @package _global_\n"
            f"defaults: [cae_schema@model]\nmodel: {{code_channels: {channels}}}\n"
        )
        cfg = composed(["train", "footage=x", "model=mine", "--config-dir", str(tmp_path)])
        assert cfg["model"].code_channels == channels  # type: ignore[attr-defined]


def jobs_of(words: list[str]) -> list[list[str]]:
    request = parse(words[0], words[1:])
    with compose.hydra_ready(request):
        return [overrides for overrides, _ in combinations(request)]


def test_multirun_makes_every_combination_with_names_of_their_own() -> None:
    jobs = jobs_of(["train", "footage=x", "name=a", "model=cae,stae", "seed=0,1", "-m"])
    suffixes = [next(w for w in job if w.startswith("--suffix=")) for job in jobs]
    assert suffixes == [
        "--suffix=-cae-seed0",
        "--suffix=-cae-seed1",
        "--suffix=-stae-seed0",
        "--suffix=-stae-seed1",
    ]


def test_multirun_without_a_name_leaves_the_model_to_the_default_name() -> None:
    jobs = jobs_of(["train", "footage=x", "model=cae,stae", "-m"])
    assert jobs == [["footage=x", "model=cae"], ["footage=x", "model=stae"]]


def test_multirun_of_a_command_without_a_name_adds_none() -> None:
    jobs = jobs_of(["events", "scores=a,b", "scoring.false_alarm_rate=0.1,0.2", "-m"])
    assert len(jobs) == 4
    assert not any(word.startswith("--suffix") for job in jobs for word in job)


def test_multirun_knows_ranges_and_lists_stay_whole() -> None:
    jobs = jobs_of(["train", "footage=x", "seed=range(0,3)", "footage.size_hw=[32,32]", "-m"])
    assert [job[1] for job in jobs] == ["seed=0", "seed=1", "seed=2"]
    assert all("footage.size_hw=[32,32]" in job for job in jobs)


@pytest.mark.slow
def test_multirun_goes_on_after_a_failure_and_says_so(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["score", f"model_file={tmp_path}/a,{tmp_path}/b", "footage=x", "-m"]) == 2
    errors = capfd.readouterr().err
    assert "2 of 2 runs failed" in errors
    assert f"{tmp_path}/b" in errors


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m tlae evaluate --help | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith("tlae evaluate")


def test_a_sentence_of_a_calibration_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    calibration = Calibration(np.linspace(0, 1, 20), np.zeros(20, int), 0.1, "2026-01-01")
    with printed_log():
        for _ in range(3):
            threshold_of(calibration, Budget(false_alarm_rate=1e-4))
        threshold_of(calibration, Budget(false_alarm_rate=1e-5))
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in lines] == [
        "false_alarm_rate=0.0001",
        "false_alarm_rate=1e-05",
    ]


def test_the_first_word_of_two_lists_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["novelty", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "  novelty fit  " in shown
    assert "  novelty score  " in shown
    assert "train" not in shown
    assert main(["filter"]) == 2
    assert capsys.readouterr().err.rstrip().endswith("known: filter fit, filter score")
