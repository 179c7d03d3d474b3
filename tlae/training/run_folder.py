"""A run folder: whether a run is new, to be continued, or already done."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tlae.errors import UserError
from tlae.training.compute import Compute
from tlae.whole_file import explain_os_errors, foreign_files, read_facts, remove_ours, write_text

WAIT_S = 600.0
LATER = ("mask_content",)  # settings that older runs did not write: they cannot differ there
RUN_FILES = (  # all that `train` writes into a run folder; the mark first
    "settings.json",
    *("compute.txt", "model.safetensors", "lightning/*.ckpt"),
    *("tensorboard/events.out.tfevents.*", "tensorboard/hparams.yaml"),
)


@dataclass(frozen=True)
class RunFolder:
    """``checkpoints/<name>/`` and the files in it."""

    path: Path

    @property
    def settings(self) -> Path:
        """What the run was started with."""
        return self.path / "settings.json"

    @property
    def compute(self) -> Path:
        """The arithmetic that was chosen."""
        return self.path / "compute.txt"

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
        """Take the folder for a run with these settings; files that are not ours stay in it.

        Raises:
            UserError: it holds a run with other settings, or no run of ours.
        """
        before = read_facts(self.settings)
        later = {key: settings[key] for key in LATER if key in settings}
        changed = differing(later | before, settings)
        if "store" in before:
            if changed and not overwrite and self.holds_work():
                other = f"with other settings ({'; '.join(changed[:3])})"
                if all(one.startswith("store: ") for one in changed):
                    other = "on other footage: files came, went or changed since"
                raise UserError(
                    f"{self.path} holds a run {other}; give another name=... or overwrite=true"
                )
            if not changed and not overwrite:
                return
        elif foreign := foreign_files(self.path, RUN_FILES):
            raise UserError(
                f"{self.path} is not empty and holds no run of ours ({foreign[0]} is there); give "
                "another name=..."
            )
        elif self.holds_work() and not overwrite:
            raise UserError(
                f"{self.settings} must tell what the run was started with, it is missing or "
                "damaged; give another name=... or overwrite=true"
            )
        with explain_os_errors(self.path):
            remove_ours(self.path, RUN_FILES[1:])  # the settings are replaced last, and whole
            self.path.mkdir(parents=True, exist_ok=True)
            write_text(self.settings, json.dumps(settings, indent=1, sort_keys=True))

    def is_done(self, *, overwrite: bool) -> bool:
        """Whether the model was there before; every process of a run says the same.

        Args:
            overwrite: what is there is to be replaced by the first process, perhaps not yet.
        """
        return self.model.is_file() and not overwrite

    def remember(self, choose: Callable[[], Compute]) -> Compute:
        """The arithmetic, chosen once per run and kept, so that a resumed run repeats it."""
        known = self._compute()
        if known is None:
            known = choose()
            write_text(self.compute, str(known))
        return known

    def recall(self) -> Compute:
        """What the first process of this run chose; waits for it."""
        until = time.monotonic() + WAIT_S
        while (known := self._compute()) is None:
            if time.monotonic() > until:
                raise UserError(f"the first process of this run never wrote {self.compute}")
            time.sleep(0.2)
        return known

    def _compute(self) -> Compute | None:
        """What is kept; None where there is nothing, or a torn file."""
        try:
            return Compute.parse(self.compute.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None


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
