"""A run folder: whether a run is new, to be continued, or already done."""

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tlae.errors import UserError

WAIT_S = 600.0
LATER = ("mask_content",)  # settings that older runs did not write: they cannot differ there


@dataclass(frozen=True)
class RunFolder:
    """``checkpoints/<name>/`` and the files in it."""

    path: Path

    @property
    def settings(self) -> Path:
        """What the run was started with."""
        return self.path / "settings.json"

    @property
    def model(self) -> Path:
        """The finished model; it exists when the run is done."""
        return self.path / "model.safetensors"

    @property
    def checkpoints(self) -> Path:
        """Lightning's own files, for resuming only."""
        return self.path / "lightning"

    @property
    def last(self) -> Path:
        """State at the end of the last epoch."""
        return self.checkpoints / "last.ckpt"

    @property
    def best(self) -> Path:
        """State with the lowest held-out loss."""
        return self.checkpoints / "best.ckpt"

    def holds_work(self) -> bool:
        """Whether an epoch or more would be lost with the folder."""
        return self.last.is_file() or self.model.is_file()

    def begin(self, settings: dict[str, Any], *, overwrite: bool) -> None:
        """Take the folder for a run with these settings.

        Raises:
            UserError: it holds a run with other settings.
        """
        if self.settings.is_file():
            before = json.loads(self.settings.read_text(encoding="utf-8"))
            later = {key: settings[key] for key in LATER if key in settings}
            changed = differing(later | before, settings)
            if changed and not overwrite and self.holds_work():
                raise UserError(
                    f"{self.path} holds a run with other settings ({'; '.join(changed[:3])}); "
                    "give another name=... or overwrite=true"
                )
            if not changed and not overwrite:
                return
            shutil.rmtree(self.path)
        elif self.path.is_dir() and any(self.path.iterdir()) and not overwrite:
            raise UserError(
                f"{self.path} is not empty and holds no run of ours; give another name=..."
            )
        self.path.mkdir(parents=True, exist_ok=True)
        self.settings.write_text(json.dumps(settings, indent=1, sort_keys=True), encoding="utf-8")

    def remember(self, name: str, choose: Any) -> str:
        """A choice made once per run (``choose()``) and kept, so that a resumed run repeats it."""
        file = self.path / f"{name}.txt"
        if not file.is_file():
            file.write_text(str(choose()), encoding="utf-8")
        return file.read_text(encoding="utf-8")

    def recall(self, name: str) -> str:
        """The choice that the first process of this run made; waits for it."""
        file = self.path / f"{name}.txt"
        until = time.monotonic() + WAIT_S
        while not file.is_file():
            if time.monotonic() > until:
                raise UserError(f"the first process of this run never wrote {file}")
            time.sleep(0.2)
        return file.read_text(encoding="utf-8")


def differing(before: dict[str, Any], after: dict[str, Any], prefix: str = "") -> list[str]:
    """`key: old -> new` for each setting that differs, nested keys dotted."""
    changed = []
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            changed += differing(old, new, f"{prefix}{key}.")
        elif old != new:
            changed.append(f"{prefix}{key}: {old} -> {new}")
    return changed
