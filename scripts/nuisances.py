"""Copy footage under a nuisance: python scripts/nuisances.py SOURCE OUT --kind gain [--strength 1].

Each folder of images is a clip and is changed stretch by stretch, see tlae/lab/nuisances.py;
pictures become PNG of the same name. Labels and masks (folders that end in _gt) are copied.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from tlae.lab.nuisances import KINDS, apply

PICTURES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"}
MASKS = "_gt"


def main(words: Sequence[str] | None = None) -> int:
    """Run with these command line words; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder of images or of clip folders")
    parser.add_argument("out", type=Path, help="a new folder")
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--strength", type=float, default=1.0, help="0..1")
    parser.add_argument("--stretch", type=int, default=200, help="frames under one draw")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(words)
    if not given.source.is_dir():
        parser.error(f"source must be a folder, got {given.source}")
    if given.out.exists():
        parser.error(f"out must be a new folder, got {given.out}")
    if not 0 <= given.strength <= 1 or given.stretch < 1:
        parser.error(f"strength must be in [0, 1] and stretch >= 1, got {given}")
    partial = given.out.with_name(given.out.name + ".part")
    shutil.rmtree(partial, ignore_errors=True)
    count = sum(
        change(clip, partial / clip.relative_to(given.source), given)
        for clip in [given.source, *sorted(p for p in given.source.rglob("*") if p.is_dir())]
    )
    partial.rename(given.out)
    print(f"{count:,} pictures under {given.kind} of strength {given.strength:g}: {given.out}")
    return 0


def change(clip: Path, out: Path, given: argparse.Namespace) -> int:
    """Copy one folder (not those in it); returns the number of pictures changed."""
    out.mkdir(parents=True)
    files = sorted(p for p in clip.iterdir() if p.is_file())
    pictures = [p for p in files if p.suffix.lower() in PICTURES and not clip.name.endswith(MASKS)]
    for path in set(files) - set(pictures):
        shutil.copy(path, out)
    for start in range(0, len(pictures), given.stretch):
        stretch = pictures[start : start + given.stretch]
        seed = [given.seed, start, *clip.relative_to(given.source).as_posix().encode()]
        images = np.stack([cv2.cvtColor(cv2.imread(str(p)), cv2.COLOR_BGR2RGB) for p in stretch])
        changed = apply(given.kind, images, np.random.default_rng(seed), given.strength)
        for path, image in zip(stretch, changed, strict=True):
            cv2.imwrite(str(out / f"{path.stem}.png"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return len(pictures)


if __name__ == "__main__":
    sys.exit(main())
