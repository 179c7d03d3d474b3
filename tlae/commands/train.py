"""tlae train footage=PATH [name=NAME] [model=...] [trainer.max_epochs=10].

Learns what is normal from normal footage. Writes <paths.checkpoints>/<name>/: model.safetensors
(all that scoring needs), tensorboard/, lightning/ (for resuming). A killed run continues when
started again, with the losses of an unbroken one.
"""

import math
import shlex
from typing import Any

from tlae.commands.calibration_lines import settled_words
from tlae.config import TrainConfig
from tlae.footage.frames import OK
from tlae.footage.sources import Footage
from tlae.number_words import how_many
from tlae.training.do_nothing import WORDS, DoNothing
from tlae.training.normal_footage import NormalFootage
from tlae.workflows.footage_notes import TOO_SHORT, left_out, left_out_words
from tlae.workflows.train import TrainingReport, train_named


def run(cfg: TrainConfig) -> None:
    """Train a net on normal footage and write its model file."""
    _, report = train_named(cfg)
    if report is not None:
        _print_end(report)


def _print_end(report: TrainingReport) -> None:
    """What was learnt, whether it beats trivial answers, what comes next, what was left out."""
    model, path = report.model, report.model.file
    assert path is not None
    if "epochs" in model.training:
        _print_loss(model.training, report.baselines)
    print(
        f"{model.training['seconds']:.0f} s in all; calibrated on "
        f"{how_many(len(model.calibration.raw), 'held-out frame')}{settled_words(model)}"
    )
    moments = ", ".join(f"{c} frame {n} ({s:.3g})" for c, n, s in model.training["highest"])
    print(f"its highest moments set the threshold; look whether they are normal: {moments}")
    print(f"model: {path} ({path.stat().st_size / 1e6:.1f} MB)")
    print(f"next:  tlae score {shlex.quote(f'model_file={path}')} footage=...")
    print(f"done: {use_of_frames(report.footage, report.source)}")


def use_of_frames(footage: NormalFootage, source: Footage) -> str:
    """How many frames were used, and why each other one was not."""
    used, states = footage.train_frames + footage.held_out_frames, footage.store.index["state"]
    reasons = left_out(states, source)
    if too_short := int((states == OK).sum()) - used:
        reasons[TOO_SHORT] = too_short
    return f"{used:,} of {len(states):,} frames were used; {left_out_words(reasons)}"


def _print_loss(facts: dict[str, Any], baselines: DoNothing) -> None:
    loss = facts["held_out_loss"]
    epochs, steps = how_many(facts["epochs"], "epoch"), how_many(facts["steps"], "step")
    print(f"trained {epochs}, {steps}")
    if math.isnan(loss):
        print("no epoch was finished: the held-out loss is not known")
    beside = ", ".join(f"{WORDS[name]} {value:.6f}" for name, value in baselines.items())
    print(f"held-out loss {loss:.6f}; {beside}")
    lost_to = [WORDS[name] for name, value in baselines.items() if loss >= value]
    if lost_to:
        print(f"WARNING: the net does not beat {' or '.join(lost_to)}, a trivial baseline")
