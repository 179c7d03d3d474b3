"""The lines that `tlae train` prints before and after."""

import math
from typing import Any

from tlae.footage.frames import OK
from tlae.model_file import Model
from tlae.models.standardised import Standardised
from tlae.training.compute import Compute
from tlae.training.do_nothing import WORDS, DoNothing
from tlae.training.normal_footage import NormalFootage
from tlae.training.run_folder import RunFolder


def introduce(name: str, net: Standardised, footage: NormalFootage, compute: Compute) -> None:
    """What will be learnt, from how much footage."""
    weights = sum(p.numel() for p in net.parameters())
    states = footage.store.index["state"]
    print(f"{name}: {weights:,} weights, {compute} arithmetic", flush=True)
    print(
        f"{footage.train_frames:,} frames to learn from, {footage.held_out_frames:,} held out in "
        f"{len(footage.held_out)} time blocks",
        flush=True,
    )
    for state, count in states[states != OK].value_counts().items():
        print(f"  left out: {count:,} x {state}", flush=True)


def tell_end(model: Model, nothing: DoNothing, folder: RunFolder) -> None:
    """What was learnt, whether it beats doing nothing, and what comes next."""
    facts = model.training
    if "epochs" in facts:
        _tell_loss(facts, nothing)
    print(
        f"{facts['seconds']:.0f} s in all; calibrated on {len(model.calibration.raw):,} held-out "
        "frames"
    )
    print(f"model: {folder.model} ({folder.model.stat().st_size / 1e6:.1f} MB)")
    print(f"next:  tlae score model_file={folder.model} footage=...")


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
