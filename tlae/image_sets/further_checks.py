"""What is asked of pictures that a model calls normal: a second filter, copies, faults."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from tlae.budget import Budget
from tlae.errors import UserError
from tlae.footage.frames import Image
from tlae.footage.sources.listing import is_video
from tlae.image_sets.copies import Fingerprint, SeenPictures, fingerprint
from tlae.image_sets.describe_now import Described, describe_now
from tlae.image_sets.judge_file import Judge, load_judge
from tlae.image_sets.picture_quality import QualityConfig, fault
from tlae.image_sets.pictures import read_pictures
from tlae.image_sets.settings import JudgeConfig, NoveltyScoreConfig
from tlae.image_sets.some_pictures import only_pictures
from tlae.image_sets.verdicts import INLIER, OUTLIER
from tlae.scoring.calibrate import threshold_of

REASON, KNOWN_BY = "reason", "known_by"  # columns: why a picture is unusual; its fingerprint


@dataclass(frozen=True)
class FurtherChecks:
    """What the survivors of the first model are asked, in this order.

    Attributes:
        filter: judge of kind "filter"; None: none.
        filter_threshold: pictures with a higher score are bad.
        duplicate_bits: see ``SeenPictures``; None: copies are not looked for.
        quality: faults that count.
    """

    filter: Judge | None = None
    filter_threshold: float = 0.5
    duplicate_bits: int | None = None
    quality: QualityConfig = field(default_factory=QualityConfig)

    @property
    def look(self) -> bool:
        """Whether the pictures themselves must be read."""
        return self.duplicate_bits is not None or self.quality.check


def further_checks(cfg: JudgeConfig) -> FurtherChecks:
    """The checks that settings name; none where a command has none.

    Raises:
        ModelFileError: the filter cannot be read, or is none.
    """
    if not isinstance(cfg, NoveltyScoreConfig):
        return FurtherChecks()
    judge, threshold = None, 0.5
    if cfg.filter is not None:
        judge = load_judge(Path(cfg.filter).expanduser(), "filter", "filter")
        threshold = judge.threshold
        if budget := Budget(cfg.filter_threshold):
            threshold = threshold_of(judge.calibration, budget).value
    return FurtherChecks(judge, threshold, cfg.duplicate_bits, cfg.quality)


def check_further(
    table: pd.DataFrame, described: Described, checks: FurtherChecks, known: pd.DataFrame
) -> pd.DataFrame:
    """Ask the survivors; those that fail become outliers, with the reason.

    Args:
        table: path, clip, frame, verdict, reason of new pictures, in the order of ``described``.
        described: those pictures.
        checks: what is asked.
        known: earlier verdicts; what was kept then is what copies are compared with, too.

    Returns:
        The table, with ``filter_score`` (NaN: not asked) and ``known_by`` where they were needed.
    """
    table = table.copy()
    if checks.filter is not None:
        asked = (table["verdict"] == INLIER).to_numpy()
        table["filter_score"] = np.nan
        if asked.any():
            table.loc[asked, "filter_score"] = _filter_scores(checks.filter, described, asked)
        _refuse(table, table["filter_score"] > checks.filter_threshold, "bad for the filter")
    if checks.look:
        _look(table, described, checks, known)
    return table


def _filter_scores(judge: Judge, described: Described, asked: np.ndarray) -> np.ndarray:
    """Scores (n,) of the pictures asked; NaN where one cannot be described for the filter."""
    if not judge.quadrants and judge.accepts(described.facts):
        return judge.scores(described.values[asked])
    settings = judge.descriptor_settings
    if settings is None or described.footage is None:
        raise UserError(
            "filter must have learnt from the descriptor that is judged, got "
            f"{judge.descriptor.get('descriptor')} for {described.facts.get('descriptor')}; fit it "
            "again with descriptors of the same kind, or judge images=..."
        )
    paths = described.ids.loc[asked, "path"]
    wanted = set(paths)
    some = only_pictures(described.footage, wanted.__contains__)
    again = describe_now(some, settings, quadrants=judge.quadrants)
    judge.require_same_descriptor(again.facts)
    scores = pd.Series(judge.scores(again.values), index=_item(again.ids))
    return scores.reindex(_item(described.ids[asked])).to_numpy(np.float64)


def _item(ids: pd.DataFrame) -> pd.Index:
    """What tells items apart: of stills the path, as a part of a folder numbers them anew."""
    frames = [
        frame if is_video(path) else 0
        for path, frame in zip(ids["path"], ids["frame"], strict=True)
    ]
    return pd.MultiIndex.from_arrays([ids["path"], frames])


def _look(
    table: pd.DataFrame, described: Described, checks: FurtherChecks, known: pd.DataFrame
) -> None:
    survivors = table[table["verdict"] == INLIER]
    seen = SeenPictures(checks.duplicate_bits or 0)
    if checks.duplicate_bits is not None:
        table[KNOWN_BY] = ""
        if KNOWN_BY in known:
            for row in known[(known["verdict"] == INLIER) & (known[KNOWN_BY] != "")].itertuples():
                seen.add(str(row.path), Fingerprint.of_bytes(bytes.fromhex(str(row.known_by))))
    found: dict[int, tuple[str, Fingerprint | None]] = {}
    for position, image in read_pictures(described.images, survivors):
        found[position] = _seen(image, checks)
    for position, index in enumerate(survivors.index):
        reason, mark = found.get(position, ("cannot be read again", None))
        if not reason and mark is not None:
            copied = seen.find(mark)
            if copied is None:
                seen.add(str(table.at[index, "path"]), mark)
                table.at[index, KNOWN_BY] = mark.to_bytes().hex()
            else:
                reason = f"copy of {copied}"
        if reason:
            table.loc[index, ["verdict", REASON]] = OUTLIER, reason


def _seen(image: Image, checks: FurtherChecks) -> tuple[str, Fingerprint | None]:
    reason = fault(image, checks.quality) if checks.quality.check else ""
    return reason, None if checks.duplicate_bits is None else fingerprint(image)


def _refuse(table: pd.DataFrame, refused: "pd.Series[bool]", reason: str) -> None:
    table.loc[refused, "verdict"] = OUTLIER
    table.loc[refused, REASON] = reason
