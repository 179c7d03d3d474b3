"""The lines that `tlae train` prints before and after."""

import math
from typing import Any

from tlae.commands.footage_lines import TOO_SHORT, left_out, left_out_words, tell_clock
from tlae.footage.frames import OK
from tlae.footage.sources import Footage
from tlae.model_file import Model
from tlae.models.standardised import Standardised
from tlae.training.compute import Compute
from tlae.training.do_nothing import WORDS, DoNothing
from tlae.training.normal_footage import NormalFootage
from tlae.training.run_folder import RunFolder


def introduce(
    name: str,
    net: Standardised,
    footage: NormalFootage,
    compute: Compute,
    time_pattern: str | None,
) -> None:
    """What will be learnt, from how much footage."""
    weights = sum(p.numel() for p in net.parameters())
    print(f"{name}: {weights:,} weights, {compute} arithmetic", flush=True)
    print(
        f"{footage.train_frames:,} frames to learn from, {footage.held_out_frames:,} held out in "
        f"{len(footage.held_out)} time blocks",
        flush=True,
    )
    tell_clock(footage.store, footage.gap_s, time_pattern)


def tell_end(
    model: Model,
    nothing: DoNothing,
    folder: RunFolder,
    footage: NormalFootage,
    source: Footage,
) -> None:
    """What was learnt, whether it beats doing nothing, what comes next, and what was left out."""
    facts = model.training
    if "epochs" in facts:
        _tell_loss(facts, nothing)
    print(
        f"{facts['seconds']:.0f} s in all; calibrated on {len(model.calibration.raw):,} held-out "
        "frames"
    )
    print(f"model: {folder.model} ({folder.model.stat().st_size / 1e6:.1f} MB)")
    print(f"next:  tlae score model_file={folder.model} footage=...")
    print(f"done: {use_of_frames(footage, source)}")


def use_of_frames(footage: NormalFootage, source: Footage) -> str:
    """How many frames were used, and why each other one was not."""
    used, states = footage.train_frames + footage.held_out_frames, footage.store.index["state"]
    reasons = left_out(states, source)
    if too_short := int((states == OK).sum()) - used:
        reasons[TOO_SHORT] = too_short
    return f"{used:,} of {len(states):,} frames were used; {left_out_words(reasons)}"


def _tell_loss(facts: dict[str, Any], nothing: DoNothing) -> None:
    loss = facts["held_out_loss"]
    print(f"trained {facts['epochs']} epochs, {facts['steps']:,} steps")
    if math.isnan(loss):
        print("no epoch was finished: the held-out loss is not known")
    beside = ", ".join(f"{WORDS[name]} {value:.6f}" for name, value in nothing.items())
    print(f"held-out loss {loss:.6f}; {beside}")
    lost_to = [WORDS[name] for name, value in nothing.items() if loss >= value]
    if lost_to:
        print(f"WARNING: the net does not beat {' or '.join(lost_to)}: doing nothing is better")
