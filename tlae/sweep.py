"""`--multirun`: one run for each combination of the values that were given."""

import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from tlae.command_line import GROUPS, CommandLine, full_pair
from tlae.compose import hydra_ready
from tlae.errors import UserError
from tlae.number_words import how_many
from tlae.refused_settings import one_line
from tlae.setting_types import is_text, settings_class


def run_each(request: CommandLine) -> int:
    """`--multirun`: one process for each combination; goes on after a failure."""
    with hydra_ready(request):
        jobs = list(combinations(request))
    failed = []
    for number, (overrides, varying) in enumerate(jobs, start=1):
        print(f"[{number}/{len(jobs)}] tlae {request.command} {' '.join(overrides)}", flush=True)  # noqa: T201  the product loop is part of the command line
        if request.show_config:
            overrides += ["--cfg=job"] + ["--resolve"] * request.resolve
        if request.config_dir:
            overrides += [f"--config-dir={request.config_dir}"]
        command = [sys.executable, "-m", "tlae", *request.command.split(), *overrides]
        if subprocess.run(command, check=False).returncode:
            failed.append(varying)
    if failed:
        raise UserError(
            f"{len(failed)} of {how_many(len(jobs), 'run')} failed: {'; '.join(failed)}"
        )
    return 0


def combinations(request: CommandLine) -> Iterator[tuple[list[str], str]]:
    """Overrides of each run, and what tells it from the others."""
    one_folder = request.command == "benchmark"  # its runs share a folder and know their model
    named_by_suffix = hasattr(settings_class(request.command), "suffix")
    named = any(word.startswith("name=") for word in request.overrides) and not one_folder
    choices = [_split_sweep(request, word) for word in request.overrides]
    for combination in itertools.product(*choices):
        varying = [w for w, all_ in zip(combination, choices, strict=True) if len(all_) > 1]
        telling = [w for w in varying if named or not w.startswith(("model=", "footage="))]
        suffix = "".join(f"-{_label(request, w)}" for w in telling if not w.startswith("name="))
        extra = [f"--suffix={suffix}"] if suffix and named_by_suffix else []
        yield [*combination, *extra], " ".join(varying) or "the only run"


def _split_sweep(request: CommandLine, word: str) -> list[str]:
    """`model=cae,stae` -> [`model=cae`, `model=stae`]; Hydra's ranges and choices too."""
    key, _, value = word.partition("=")
    if is_text(request.command, full_pair(request, word)[0]):
        return [f"{key}={one}" for one in value.split(",")]
    try:
        override = OverridesParser.create().parse_override(word)
    except HydraException as error:
        raise UserError(f"{word}: {one_line(error)}") from error
    if not override.is_sweep_override():
        return [word]
    return [f"{key}={one}" for one in override.sweep_string_iterator()]


def _label(request: CommandLine, word: str) -> str:
    """Part of a folder name: `model=cae` -> cae, `seed=1` -> seed1, paths by their last part."""
    key, _, value = word.partition("=")
    short = key.rpartition(".")[2]
    shown = Path(value).name if is_text(request.command, full_pair(request, word)[0]) else value
    readable = re.sub(r"[^\w.+-]+", "_", shown).strip("_")
    return readable if key in (*GROUPS, "footage") else f"{short}{readable}"
