"""Small footage and small models that tests make on the spot."""

from collections.abc import Callable, Container
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from tlae.budget import Budget
from tlae.footage.preprocess import Preprocessing
from tlae.model_file import Model, build_net
from tlae.models.standardised import Standardised
from tlae.scoring.calibrate import Calibration
from tlae.scoring.detector import Detector
from tlae.scoring.rule import ScoringRule

SIZE_HW = (32, 32)

NETS = {
    "cae": {"_target_": "tlae.models.cae.ConvAutoencoder", "widths": [4], "code_channels": 2},
    "stae": {
        "_target_": "tlae.models.stae.StackedAutoencoder",
        "window_frames": 4,
        "widths": [4, 4, 4],
        "kernels_px": [3, 2, 2],
    },
    "convlstm": {
        "_target_": "tlae.models.convlstm.ConvLSTMAutoencoder",
        "widths": [4, 4],
        "kernels_px": [4, 2],
        "strides_px": [2, 2],
        "memory": [4, 4],
    },
    "predicting convlstm": {
        "_target_": "tlae.models.convlstm.ConvLSTMAutoencoder",
        "widths": [4, 4],
        "kernels_px": [4, 2],
        "strides_px": [2, 2],
        "memory": [4, 4],
        "ahead": 2,
    },
    "predictor": {
        "_target_": "tlae.models.predictor.FramePredictor",
        "window_frames": 4,
        "widths": [8, 8],
    },
    "segmenter": {
        "_target_": "tlae.models.segmenter.AnomalySegmenter",
        "window_frames": 4,
        "widths": [8, 8],
    },
    "still_segmenter": {
        "_target_": "tlae.models.still_segmenter.StillSegmenter",
        "channels": 1,
        "window_frames": 4,
        "size_hw": [32, 32],
        "widths": [8, 8],
        "bank_frames": 2,
        "seen_frames": 4,
    },
    "copy_last": {"_target_": "tlae.models.untrained.CopyLast"},
    "running_median": {"_target_": "tlae.models.untrained.RunningMedian"},
}


def frame_image(
    number: int, *, odd: bool = False, size_hw: tuple[int, int] = SIZE_HW
) -> np.ndarray:
    """RGB: a graded background, a grey square that walks to the right, a bright one if odd."""
    height, width = size_hw
    ramp = np.linspace(60, 120, width, dtype=np.uint8)
    image = np.repeat(np.tile(ramp, (height, 1))[..., None], 3, axis=2)
    left = (2 * number) % (width - 6)
    image[height // 2 : height // 2 + 6, left : left + 6] = 180
    if odd:
        top, right = height // 16, width - width // 16
        image[top : top + height // 4, right - width // 4 : right] = 255
    return image


def write_clips(
    root: Path,
    lengths: tuple[int, ...] = (20, 20),
    *,
    odd: tuple[tuple[int, int], ...] = (),
    suffix: str = ".png",
    size_hw: tuple[int, int] = SIZE_HW,
) -> Path:
    """Clip folders c0, c1, ... ; ``odd`` names (clip, frame) pairs with something unusual."""
    for clip, length in enumerate(lengths):
        folder = root / f"c{clip}"
        folder.mkdir(parents=True)
        odd_ones = [number for of_clip, number in odd if of_clip == clip]
        add_frames(folder, range(length), odd=odd_ones, suffix=suffix, size_hw=size_hw)
    return root


def add_frames(
    folder: Path,
    numbers: range,
    *,
    odd: Container[int] = (),
    suffix: str = ".png",
    size_hw: tuple[int, int] = SIZE_HW,
) -> None:
    """Write frames of these numbers into a folder that is there."""
    for number in numbers:
        image = frame_image(number, odd=number in odd, size_hw=size_hw)
        cv2.imwrite(str(folder / f"{number:03d}{suffix}"), image[..., ::-1])


def small_model(
    name: str = "cae",
    *,
    window_frames: int = 4,
    stride: int = 1,
    rule: ScoringRule | None = None,
    watched: torch.Tensor | None = None,
) -> Model:
    """A model with random weights that do answer something."""
    torch.manual_seed(0)
    net = build_net(NETS[name])
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.1)
    background = torch.from_numpy(frame_image(0)[..., :1].transpose(2, 0, 1) / 255)
    raw = np.random.default_rng(0).random(50) * 0.2
    detector = Detector(
        net=Standardised(net, background, 0.1).eval(),
        net_config=NETS[name],
        preprocessing=Preprocessing(SIZE_HW, 1),
        window_frames=1 if name == "cae" else window_frames,
        stride=stride,
        gap_s=0.5,
        precision="float32",
        typical_error=torch.full(SIZE_HW, 0.01),
        watched=watched,
    )
    calibration = Calibration(raw, np.repeat([0, 1], 25), 0.1, "2026-01-01")
    return Model(
        detector, rule or ScoringRule(match_light=False), Budget(false_alarm_rate=0.05), calibration
    )


def raises_at(
    call: int, error: BaseException, wrapped: Callable[..., object]
) -> Callable[..., object]:
    """A stand-in for ``wrapped`` that fails at its n-th call, as a full disk or Ctrl-C would."""
    calls = 0

    def stand_in(*args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        if calls == call:
            raise error
        return wrapped(*args, **kwargs)

    return stand_in
