"""Verdicts of an earlier run: pictures that did not change since are not judged again."""

from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import pandas as pd

from tlae.footage.sources import Footage, open_footage
from tlae.image_sets.named_pictures import open_pictures
from tlae.image_sets.settings import JudgeConfig, NoveltyScoreConfig
from tlae.image_sets.some_pictures import file_state, frame_numbers, only_pictures
from tlae.whole_file import read_facts

FACTS = "judged.json"  # what the verdicts of a folder depend on
TABLE = "verdicts.parquet"
STATE = "file_state"  # column: size and time of change of the file


def judged_by(model_file: Path, threshold: float, cfg: JudgeConfig) -> dict[str, Any]:
    """What verdicts depend on, beside the pictures: plain values."""
    facts: dict[str, Any] = {"model": _digest(model_file), "threshold": threshold}
    if isinstance(cfg, NoveltyScoreConfig):
        facts |= {
            "filter": cfg.filter and _digest(Path(cfg.filter).expanduser()),
            "filter_threshold": cfg.filter_threshold,
            "duplicate_bits": cfg.duplicate_bits,
            "quality": asdict(cfg.quality),
        }
    return facts


@dataclass(frozen=True)
class JudgedBefore:
    """What an earlier run knew of pictures, and what is left to judge.

    Attributes:
        verdicts: rows of pictures that are unchanged.
        new: the others; None: everything is to be judged.
    """

    verdicts: pd.DataFrame
    new: Footage | None = None

    @classmethod
    def read(cls, folder: Path, facts: dict[str, Any], images: str | None) -> Self:
        """Take up the verdicts of a folder.

        Args:
            folder: an earlier result; it may be missing.
            facts: see ``judged_by``; verdicts by others do not count.
            images: pictures to judge; None: all are to be judged.
        """
        if images is None or read_facts(folder / FACTS) != facts:
            return cls(pd.DataFrame())
        footage = open_pictures(images)
        try:
            table = pd.read_parquet(folder / TABLE)
        except (OSError, ValueError):
            return cls(pd.DataFrame())
        if not {"path", "frame", STATE} <= set(table):
            return cls(pd.DataFrame())
        now = {path: file_state(path) for path in table["path"].unique()}
        same = (table[STATE] != "") & (table[STATE] == table["path"].map(now))
        known = set(table.loc[same, "path"])
        asked: set[str] = set()

        def is_new(path: str) -> bool:
            asked.add(path)
            return path not in known

        new = only_pictures(footage, is_new)
        return cls(table[same & table["path"].isin(asked)].reset_index(drop=True), new)

    @property
    def is_new(self) -> bool:
        """Whether anything is left to judge."""
        return self.new is None or bool(self.new.clips)

    def joined(self, fresh: pd.DataFrame) -> pd.DataFrame:
        """Earlier and fresh verdicts, in the order of the footage's frames."""
        fresh = fresh.assign(**{STATE: fresh["path"].map(file_state)})
        if self.new is None or self.verdicts.empty:
            return fresh
        table = pd.concat([self.verdicts, fresh], ignore_index=True)
        numbers = frame_numbers(open_footage(self.new.spec))
        table["frame"] = table["path"].map(numbers).fillna(table["frame"]).astype("int64")
        return table.sort_values(["clip", "frame"], kind="stable", ignore_index=True)


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
