"""A small scene under a day's and a night's light, as frames of a store."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from tlae.camera.options import CameraOptions
from tlae.footage.frames import Image
from tlae.footage.preprocess import Preprocessing
from tlae.footage.store import FrameStore
from tlae.table import Table

SIZE_HW = (64, 96)
ALL_ON = CameraOptions(modes=True, light=True, register=True, health=True)


def scene(channels: int = 3, seed: int = 0) -> Image:
    """Blocks of many shades and colours (H, W, C), with edges everywhere."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(40, 210, (16, 24, channels), np.uint8)
    picture = blocks.repeat(4, axis=0).repeat(4, axis=1).astype(np.float32)
    return np.rint(cv2.GaussianBlur(picture, (0, 0), 0.8)).reshape(*SIZE_HW, channels).astype("u1")


def footage(count: int, *, gain: float = 1.0, colour: float = 1.0, channels: int = 3) -> Image:
    """The scene with a little square that walks, and sensor noise: (n, H, W, C)."""
    rng = np.random.default_rng(count)
    frames = np.repeat(scene(channels)[None].astype(np.float32), count, axis=0)
    grey = frames.mean(axis=3, keepdims=True)
    frames = grey + colour * (frames - grey)
    for number in range(count):
        left = (3 * number) % (SIZE_HW[1] - 6)
        frames[number, 40:46, left : left + 6] = 240
    noisy = gain * frames + rng.normal(0, 1.5, frames.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def day_and_night(count: int = 60) -> Image:
    """Twice as many frames, first those of the day."""
    return np.concatenate([footage(count), footage(count, gain=0.25)])


def store_of(
    folder: Path,
    frames: Image,
    clips: tuple[int, ...] = (),
    size_hw: tuple[int, int] = SIZE_HW,
) -> FrameStore:
    """Frames as a store, cut into clips of the given lengths."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "frames.u8").write_bytes(frames.tobytes())
    lengths = clips or (len(frames),)
    index = pd.DataFrame(
        {
            "clip": np.repeat([f"c{n}" for n in range(len(lengths))], lengths),
            "frame": np.concatenate([np.arange(n) for n in lengths]),
            "path": [f"{n}.png" for n in range(len(frames))],
            "time_s": np.arange(len(frames), dtype=float),
            "taken_at": pd.Series([pd.NaT] * len(frames), dtype="datetime64[us]"),
            "state": "ok",
            "source_h": 2 * size_hw[0],
            "source_w": 4 * size_hw[1],
        }
    )
    return FrameStore(folder, Table.of(index), Preprocessing(size_hw, frames.shape[3]))
