"""The parts work on plain arrays, without our nets: smooth an error map, draw it, measure it.

python examples/05_on_arrays.py
"""

from pathlib import Path

import cv2
import numpy as np
import torch

from tlae.evaluation.roc import roc_auc
from tlae.rendering.heatmap import HeatScale
from tlae.rendering.overlay import draw_overlay
from tlae.scoring.smooth import smooth_map

random = np.random.default_rng(0)
image = np.full((120, 160, 3), 90, np.uint8)
image[40:70, 60:90] = (200, 60, 60)  # what does not belong there
error = np.abs(image[..., 0] / 255 - 90 / 255) + random.normal(0, 0.05, (120, 160))

smoothed = smooth_map(torch.from_numpy(error)[None].float(), "box_mean", 9, None)[0].numpy()
threshold = 0.2
picture = draw_overlay(image, smoothed, threshold, HeatScale.from_threshold(threshold), alarm=True)
cv2.imwrite("overlay.png", picture[..., ::-1])

labels = np.zeros((120, 160), bool)
labels[40:70, 60:90] = True
found = roc_auc(smoothed.ravel(), labels.ravel())
print(f"pixel ROC AUC {found:.3f}; see {Path('overlay.png').resolve()}")
