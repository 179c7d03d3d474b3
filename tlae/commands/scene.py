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
from tlae.schema import part_of


def run(cfg: SceneConfig) -> None:
    """Settings in, footage with known anomalies out."""
    if len(cfg.size_hw) != 2:
        raise UserError(f"size_hw must be [height,width], got {list(cfg.size_hw)}; give two")
    options = part_of(cfg, SceneOptions)
    scene = write_scene(Path(cfg.out), options)
    shares = Counter(str(event.kind) for event in scene.events)
    print(scene.folder)
    print(f"  Train  {options.train_clips} clips, {scene.train_frames} frames")
    print(
        f"  Test   {options.test_clips} clips, {scene.test_frames} frames, "
        f"{scene.anomalous_frames} of them anomalous"
    )
    print("  events " + ", ".join(f"{kind} {count}" for kind, count in shares.items()))
