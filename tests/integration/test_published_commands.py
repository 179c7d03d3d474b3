"""The commands of the README and the docs, run in the order of each page on small footage.

All pages share one folder, as for a reader: drawn scenes and stills under the names that the pages
use, and what the README makes. Work is kept small by further
words (one epoch, small frames), and published sizes of nets by small ones.
"""

import shlex
import shutil
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
import torchvision
from scipy.io import savemat

from tests.small_footage import frame_image
from tests.test_docs import ROOT, blocks_in, commands_in, one_by_one
from tlae.cli import COMMANDS, main
from tlae.lab.scenes import SceneOptions, write_scene

pytestmark = pytest.mark.slow

SMALL = {
    "train": ["footage.size_hw=[64,96]", "trainer.max_epochs=1", "training.windows_per_epoch=8"],
    "benchmark": [
        "footage.size_hw=[64,96]",
        "trainer.max_epochs=1",
        "training.windows_per_epoch=8",
        "stills.height_px=64",
        "stills.sizes=[0.06,0.12]",
    ],
    "compare": ["seeds=[0]"],
    "scene": ["train_frames=40", "test_clips=1", "test_frames=60", "size_hw=[96,144]"],
    "plant": ["clips=3", "clip_frames=15", "size_hw=[64,96]"],
    "describe": ["image_size=32"],
    "explore": ["export=page.html"],
    "novelty fit": ["folds=4"],
}
# These have tests of their own, with servers on loopback.
ENDLESS = ("tlae watch", "tlae serve", "tlae feed")
# A form to be filled in; the internet; a cluster; events of other footage (see test_answers.py); a
# net that is refused where it gains no speed (see test_int8.py).
NOT_HERE = ("<", "download=true", "engine=ray", "=E0", "precision=int8")
PAGES = ["datasets", "camera", "planted_stills", "events", "clusters", "explorer", "descriptors"]
PAGES += ["export", "scale"]


def write_frames(folder: Path, count: int, odd: range = range(0), size: int = 48) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        image = frame_image(number, odd=number in odd, size_hw=(size, size))
        cv2.imwrite(str(folder / f"{number:03d}.png"), image)


def write_stills(folder: Path, first: datetime, count: int, every: timedelta) -> None:
    """Dated pictures of one place, with some noise of their own."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(count):
        noise = rng.integers(0, 8, (96, 128, 3), np.uint8)
        image = frame_image(number, size_hw=(96, 128)) + noise
        cv2.imwrite(str(folder / f"{first + number * every:%Y%m%d-%H%M%S}.png"), image)


def write_pictures(folder: Path, count: int, shades: tuple[int, int]) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(count):
        shade = shades[number % 2] + rng.integers(0, 30, (40, 40, 3))
        cv2.imwrite(str(folder / f"{number:02d}.png"), shade.astype(np.uint8))


def write_avenue(folder: Path) -> None:
    for part, odd in (("training_videos", range(0)), ("testing_videos", range(20, 40))):
        write_frames(folder / part / "01", 60, odd)
    volume = np.zeros((48, 48, 60), np.uint8)
    volume[2:20, 30:48, 20:40] = 1
    (folder / "testing_label_mask").mkdir()
    savemat(folder / "testing_label_mask/1_label.mat", {"volLabel": volume})


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the commands of the README have been run."""
    world = tmp_path_factory.mktemp("base")
    write_frames(world / "camera/normal", 150)
    write_frames(world / "camera/today", 60, odd=range(30, 40))
    for day in ("2026-05-06", "2026-05-07"):
        write_frames(world / "cameras/gate" / day, 30)
    often, seldom = timedelta(minutes=30), timedelta(hours=2)
    write_stills(world / "camera/june", datetime(2026, 6, 1), 160, seldom)  # 13 days
    write_stills(world / "camera/july", datetime(2026, 7, 1), 96, often)
    write_stills(world / "camera/this_week", datetime(2026, 7, 10), 96, often)
    scene = SceneOptions(
        train_clips=1, train_frames=150, test_clips=1, test_frames=60, size_hw=(96, 144)
    )
    write_scene(world / "data/UCSDped2", scene)
    write_avenue(world / "avenue")
    for name, shades in (("a", (40, 60)), ("b", (160, 200)), ("new", (40, 200))):
        write_pictures(world / name, 12, shades)
    for name, shades in (("clean", (40, 60)), ("watermarked", (160, 200)), ("crawl", (40, 200))):
        write_pictures(world / name, 12, shades)
    write_pictures(world / "forest", 40, (60, 80))
    with zipfile.ZipFile(world / "photos.zip", "w") as archive:
        for path in sorted((world / "forest").iterdir()):
            archive.write(path, path.name)
    cv2.imwrite(str(world / "wall.jpg"), frame_image(0, size_hw=(100, 100)))
    np.save(world / "features.npy", np.random.default_rng(0).random((12, 8), np.float32))
    names = "\n".join(f"{number}.png" for number in range(12))
    (world / "names.txt").write_text(names + "\n", encoding="utf-8")
    torch.manual_seed(0)
    torch.save(torchvision.models.vgg16().state_dict(), world / "vgg16.pth")
    table = pd.DataFrame({"clip": "a", "frame": range(20), "label": [0] * 10 + [1] * 10})
    table.assign(score=np.arange(20) / 20).to_csv(world / "errors.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        run_page(ROOT / "README.md", world, patch)
    theirs = [f"from_file={world}/features.npy", f"ids={world}/names.txt", "name=osnet"]
    assert main(["describe", *theirs, f"out={world}/theirs.desc"]) == 0
    return world


def small(line: str) -> list[list[str]]:
    """Words of the line, made small; a sweep becomes single runs in which all choices occur."""
    words = shlex.split(line)[1:]
    two = " ".join(words[:2])
    command = two if two in COMMANDS else words[0]
    given = words[len(command.split()) :]
    keys = {word.partition("=")[0] for word in given}
    more = [word for word in SMALL.get(command, []) if word.partition("=")[0] not in keys]
    plain = [word for word in given if word != "-m"]
    runs = one_by_one(plain) if plain != given else [plain]
    return [[*command.split(), *run, *more] for run in runs]


def run_page(page: Path, world: Path, patch: pytest.MonkeyPatch) -> None:
    patch.chdir(world)
    patch.setenv("XDG_CACHE_HOME", str(world / "cache"))
    for text in [text for language, text in blocks_in(page) if language == "yaml"]:
        (world / "gate.yaml").write_text(text, encoding="utf-8")  # the zones of docs/events.md
    for line in commands_in(page):
        skipped = line.startswith(ENDLESS) or any(sign in line for sign in NOT_HERE)
        if line.startswith("tlae ") and not skipped:
            for words in small(line):
                assert main(words) == 0, f"{page.name}: {' '.join(words)}"


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_run(page: str, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if page == "descriptors":  # makes the store that the others explore anew, in other ways
        shutil.rmtree(base / "photos.desc")
    run_page(ROOT / "docs" / f"{page}.md", base, monkeypatch)
