"""A short drawn street, so that the examples run without footage of yours."""

from pathlib import Path

from tlae.lab.scenes import SceneOptions, write_scene

OPTIONS = SceneOptions(
    size_hw=(96, 144), train_clips=1, train_frames=400, test_clips=4, test_frames=60
)


def street(folder: str | Path = "street") -> Path:
    """Draw the street once: ``Train`` is normal, things happen in ``Test``; both as pictures."""
    return write_scene(Path(folder), OPTIONS).folder
