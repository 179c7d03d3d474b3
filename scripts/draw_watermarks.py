"""Draw a half-transparent word near a corner of half of some pictures: something for a filter.

python scripts/draw_watermarks.py PICTURES OUT [--pictures 100] [--pattern '*.jpg'] [--seed 0]

Writes OUT/good and OUT/bad, drawn at random from the JPEGs of a folder.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

WORD, LETTERS, STROKE_PX = "stockphoto.com", 1.1, 3
OPACITY = 0.6
MARK_HW = (50, 330)  # room for the word


def main() -> None:
    """Choose, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures_folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--pattern", default="*.jpg")
    parser.add_argument("--seed", type=int, default=0)
    words = parser.parse_args()
    rng = np.random.default_rng(words.seed)
    paths = sorted(words.pictures_folder.glob(words.pattern))
    for number, place in enumerate(rng.permutation(len(paths))[: words.pictures]):
        picture = cv2.imread(str(paths[place]))
        assert picture is not None, paths[place]
        kind = "good" if number < words.pictures // 2 else "bad"
        if kind == "bad":
            height, width = picture.shape[:2]
            left = int(rng.choice([20, width - MARK_HW[1]]))
            foot = int(rng.choice([MARK_HW[0], height - MARK_HW[0] // 2]))
            marked = picture.copy()
            font, white = cv2.FONT_HERSHEY_SIMPLEX, (255, 255, 255)
            cv2.putText(marked, WORD, (left, foot), font, LETTERS, white, STROKE_PX)
            picture = cv2.addWeighted(marked, OPACITY, picture, 1 - OPACITY, 0)
        (words.out / kind).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(words.out / kind / f"{number:03d}.jpg"), picture)


if __name__ == "__main__":
    main()
