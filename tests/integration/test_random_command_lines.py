"""Random command lines over all commands: no traceback, no odd status, nothing else is touched."""

import hashlib
import random
import traceback
import warnings
from dataclasses import fields, is_dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, get_type_hints

import cv2
import numpy as np
import pytest

from tests.command_words import reworded
from tests.small_footage import small_model, write_clips
from tlae.cli import COMMANDS, main
from tlae.model_file import save_model
from tlae.setting_types import settings_class

FINE = (0, 2, 130)
ODD = (
    "0",
    "-1",
    "1",
    "2",
    "3",
    "0.5",
    "nan",
    "inf",
    "abc",
    "null",
    "",
    "true",
    "[]",
    "[1]",
    "[2,3]",
    "{a:1}",
    "0,5",
    "${x}",
    "a\\",
    "~x",
    "'",
    "[",
    "../x",
    ".",
    "x" * 300,
    "rtsp://camera/1",
    "%Y%m",
    "2023",
    "6-20",
)
PLACES = (
    "clips",
    "clips/c0",
    "clips/c0/003.png",
    "clips.zip",
    "broken",
    "empty",
    "text.txt",
    "model.safetensors",
    "cut.safetensors",
    "novelty.safetensors",
    "scored",
    "half-scored",
    "pictures.desc",
    "labels.csv",
    "zones.yaml",
    "mask.png",
    "nowhere",
    "clips/*/00*.png",
)
SMALL_NET = (
    "model=cae_small",
    "model.widths=[4,4]",
    "footage.size_hw=[16,16]",
    "training.windows_per_epoch=8",
    "training.batch_size=4",
    "training.compute=float32",
    "trainer.max_epochs=1",
    "trainer.accelerator=cpu",
)
ENDLESS = ("serve", "serve zmq", "watch")  # go on until they are interrupted
# Words with which a command can do its work; some of them are left out or answered by others.
GOOD: dict[str, tuple[str, ...]] = {
    "train": ("footage={w}/clips", *SMALL_NET),
    "score": ("model_file={w}/model.safetensors", "footage={w}/clips", "keep_rebuilt=false"),
    "fleet": ("footage={w}/clips", "models={w}/model.safetensors", "out=fleet", "workers=1"),
    "export": ("model_file={w}/model.safetensors", "out=own.onnx", "overwrite=true"),
    "calibrate": ("model_file={w}/model.safetensors", "footage={w}/clips", "overwrite=true"),
    "events": ("scores=scores/own", "zones={w}/zones.yaml"),
    "mask": ("footage={w}/clips", "out=mask.yaml", "overwrite=true"),
    "render": ("scores=scores/own", "frames=[1]", "top=1"),
    "report": ("scores=scores/own", "keogram=false"),
    "evaluate": ("scores={w}/labels.csv", "out=evaluation"),
    "benchmark": ("footage={w}/clips", "train_split=c0", "test_split=c1", *SMALL_NET),
    "plant": ("footage={w}/clips", "out=planted", "clips=2", "clip_frames=8"),
    "scene": ("out=scene",),
    "site": ("out=site",),
    "benchmark speed": ("out=speed",),
    "compare": ("scenes=[{w}/clips]", "models=[copy_last]"),
    "feed": ("url=http://127.0.0.1:9/feed", "model_file={w}/novelty.safetensors", "out=fed"),
    "describe": ("images={w}/clips", "out=own.desc"),
    "cluster": ("descriptors={w}/pictures.desc", "method=kmeans", "k=2", "out=groups"),
    "explore": ("descriptors={w}/pictures.desc", "export=page.html"),
    "novelty fit": ("images={w}/clips", "name=n"),
    "novelty score": ("model_file={w}/novelty.safetensors", "images={w}/clips", "out=verdicts"),
    "filter fit": ("good={w}/clips/c0", "bad={w}/clips/c1", "name=f"),
    "filter score": ("model_file={w}/novelty.safetensors", "images={w}/clips", "out=kept"),
    "demo": ("model=none_such",),
}
# Of no dataclass: settings of Lightning (but devices, which start processes), of a net, of nobody.
FREE = (
    "trainer.max_steps",
    "trainer.limit_train_batches",
    "trainer.limit_val_batches",
    "trainer.gradient_clip_val",
    "trainer.accumulate_grad_batches",
    "trainer.check_val_every_n_epoch",
    "trainer.precision",
    "trainer.nowhere",
    "trainer",
    "model.widths",
    "model.channels",
    "model._target_",
    "model.nowhere",
    "model.a.b",
    "hydra.verbose",
    "hydra.run.dir",
    "nowhere",
)
NEVER = {"open", "train"}  # opens a browser; words of another command
ALWAYS = {  # or they would not end, or take long
    "explore": ("export=page.html",),
    "demo": ("model=none_such",),
    "scene": (
        "train_clips=1",
        "train_frames=8",
        "test_clips=1",
        "test_frames=30",
        "size_hw=[48,64]",
    ),
    "benchmark speed": ("frames=63",),  # one too few
    "site": ("days=1", "test_days=0", "every_minutes=720", "size_hw=[96,96]"),
    "feed": ("once=true", "timeout_s=1", "url=http://127.0.0.1:9/feed"),
}


def keys_of(schema: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Dotted settings of a dataclass with their types."""
    found: list[tuple[str, Any]] = []
    hints = get_type_hints(schema)
    for field in fields(schema):
        kind = hints[field.name]
        if is_dataclass(kind):
            found += keys_of(kind, f"{prefix}{field.name}.")
        elif field.name not in NEVER:
            found.append((prefix + field.name, kind))
    return found


def random_line(rng: random.Random, world: Path) -> list[str]:
    """A command line that may work, may be refused, and is never expensive."""
    command = rng.choice([name for name in COMMANDS if name not in ENDLESS])
    words = [word.format(w=world) for word in GOOD[command] if rng.random() < 0.93]
    known = keys_of(settings_class(command))
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        key, kind = rng.choice(known)
        is_place = "str" in str(kind) and rng.random() < 0.6
        value = f"{world}/{rng.choice(PLACES)}" if is_place else rng.choice(ODD)
        if key in ("paths.checkpoints", "paths.scores", "paths.cache", "out", "export"):
            value = rng.choice(("own", "a b", "${x}", "~x", "", "null", "x" * 300, "scores/own"))
        words.append(f"{key.removesuffix('.path') if rng.random() < 0.5 else key}={value}")
    while rng.random() < 0.25:
        key = rng.choice((*FREE, rng.choice(known)[0]))
        words.append(f"{rng.choice(('', '', '+', '++', '~'))}{key}={rng.choice(ODD)}")
    if rng.random() < 0.05:
        words.append(rng.choice(("--help", "--cfg=job", "--frob", "--name=x", "footage", "-m")))
    words = reworded(words, *ALWAYS.get(command, ()))
    twice = [rng.choice(words)] if words and rng.random() < 0.05 else []
    return [*command.split(), *words, *twice]


def snapshot(folder: Path) -> dict[str, tuple[int, str]]:
    """Time and content of every file."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def is_result(name: str) -> bool:
    """Whether a command may write a file: in a folder of results, or beside its input."""
    if name.startswith(("scored/", "half-scored/", "pictures.desc/")):
        return True
    return name == "model.onnx" or fnmatch(name, "model-*.safetensors") or "-evaluation/" in name


def status_of(words: list[str]) -> int | str:
    """Exit status, or the traceback that a user would see."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return main(words)
    except BaseException:  # whatever a user would see
        return traceback.format_exc(limit=-4)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Footage, models, results and rubbish that no command may change; work goes elsewhere."""
    folder, work = tmp_path / "world", tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(work / "home"))
    write_clips(folder / "clips", (20, 20), odd=((1, 9),))
    for name in ("broken", "empty"):
        (folder / name).mkdir()
    rng = np.random.default_rng(0)
    (folder / "broken/a.jpg").write_bytes(rng.bytes(300))
    whole = (folder / "clips/c0/000.png").read_bytes()
    (folder / "broken/b.png").write_bytes(whole[: len(whole) // 2])
    (folder / "broken/c.mp4").write_bytes(rng.bytes(500))
    (folder / "clips.zip").write_bytes(rng.bytes(200))
    (folder / "text.txt").write_text("not a picture\n", encoding="utf-8")
    save_model(small_model(), folder / "model.safetensors")
    model = (folder / "model.safetensors").read_bytes()
    (folder / "cut.safetensors").write_bytes(model[: len(model) // 3])
    table = "clip,frame,label,score\n" + "".join(f"a,{n},{n % 2},{n / 9}\n" for n in range(9))
    (folder / "labels.csv").write_text(table, encoding="utf-8")
    zone = "zones:\n  gate: [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]\n"
    (folder / "zones.yaml").write_text(zone, encoding="utf-8")
    cv2.imwrite(str(folder / "mask.png"), np.full((16, 16), 255, np.uint8))
    score = ["score", f"model_file={folder}/model.safetensors", f"footage={folder}/clips"]
    for words in (
        [*score, f"paths.scores={folder}", "name=scored"],
        [*score, "name=own"],
        ["describe", f"images={folder}/clips", f"out={folder}/pictures.desc"],
        ["novelty", "fit", f"images={folder}/clips", "name=made"],
    ):
        assert main(words) == 0, words
    made = work / "checkpoints/made/model.safetensors"
    (folder / "novelty.safetensors").write_bytes(made.read_bytes())
    (folder / "half-scored").mkdir()
    (folder / "half-scored/summary.json").write_text("{", encoding="utf-8")
    return folder


def run_lines(world: Path, count: int, seed: int) -> list[str]:
    """Run random lines; what is wrong with them, if anything."""
    rng, wrong = random.Random(seed), []
    before, around = snapshot(world), set(world.parent.iterdir())
    for number in range(count):
        words = random_line(rng, world)
        status = status_of(words)
        if status not in FINE:
            wrong.append(f"line {number}: tlae {' '.join(words)}\n{status}")
        after = snapshot(world)
        changed = [k for k in before.keys() | after.keys() if before.get(k) != after.get(k)]
        odd = [name for name in changed if not is_result(name)]
        if odd:
            wrong.append(f"line {number}: tlae {' '.join(words)} changed {odd}")
        before = after
    beside = set(world.parent.iterdir()) - around
    return wrong + [f"made {path}" for path in beside]


def test_a_few_random_command_lines(world: Path) -> None:
    assert run_lines(world, 20, seed=1) == []


@pytest.mark.slow
def test_a_thousand_random_command_lines(world: Path) -> None:
    wrong = run_lines(world, 1000, seed=0)
    assert not wrong, f"{len(wrong)} lines:\n" + "\n".join(wrong)
