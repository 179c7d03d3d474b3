"""tlae scene out=FOLDER [view=deep] [train_frames=2400] [test_clips=10] [seed=0].

Draws footage of one fixed camera with known anomalies: <out>/Train without any, <out>/Test with
exact masks and labels, as `tlae benchmark footage=<out>` takes them, and scene.json (which event is
where, and how far away). view=side looks from a roof over a plaza; view=deep looks along a street,
where near people are seven times as tall as far ones. The same settings give the same bytes; other
training clips leave the test clips as they are.
"""

from collections import Counter
from pathlib import Path

from tlae.errors import UserError
from tlae.lab.scenes import SceneOptions, write_scene
from tlae.lab.settings import SceneConfig
from tlae.number_words import how_many
from tlae.schema import part_of


def run(cfg: SceneConfig) -> None:
    """Settings in, footage with known anomalies out."""
    if len(cfg.size_hw) != 2:
        raise UserError(f"size_hw must be [height,width], got {list(cfg.size_hw)}; give two")
    options = part_of(cfg, SceneOptions)
    scene = write_scene(Path(cfg.out), options)
    shares = Counter(str(event.kind) for event in scene.events)
    print(scene.folder)
    clips, frames = how_many(options.train_clips, "clip"), how_many(scene.train_frames, "frame")
    print(f"  Train  {clips}, {frames}")
    print(
        f"  Test   {how_many(options.test_clips, 'clip')}, {how_many(scene.test_frames, 'frame')}, "
        f"{scene.anomalous_frames} of them anomalous"
    )
    print("  events " + ", ".join(f"{kind} {count}" for kind, count in shares.items()))
