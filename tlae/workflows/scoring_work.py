"""What the net is asked for: frames as it sees them, its scorer, the job, and the job ahead."""

from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from tlae.camera.canonical_store import canonical_store
from tlae.config import ScoreConfig
from tlae.footage.sources import Footage
from tlae.footage.store import Follow, FrameStore, open_store
from tlae.footage.windows import Rows
from tlae.scorable import Scorable
from tlae.scoring.ahead import ScoringAhead
from tlae.scoring.job import ScoringJob
from tlae.scoring.job_folder import footage_facts
from tlae.scoring.rule import ScoringRule
from tlae.scoring.scored_frames import Scorer
from tlae.whole_file import part_path
from tlae.workflows.footage_notes import note_other_depth, note_other_shape


@dataclass(frozen=True)
class ScoringWork:
    """What the net is asked for.

    Attributes:
        cfg: settings.
        model: trained model.
        rule: how errors become scores.
    """

    cfg: ScoreConfig
    model: Scorable
    rule: ScoringRule

    @property
    def precision(self) -> str:
        """Of the arithmetic."""
        calibrated = self.cfg.precision == "calibrated"
        return self.model.precision if calibrated else self.cfg.precision

    @property
    def keep_rebuilt(self) -> bool:
        """Whether what the net expected is kept; a net that segments expects nothing."""
        return self.cfg.keep_rebuilt and self.model.shows_expected

    @cached_property
    def scorer(self) -> Scorer:
        """Made when the first frame is to be scored; it may take seconds."""
        return self.model.scorer(
            self.rule,
            self.cfg.device,
            precision=self.precision,
            keep_rebuilt=self.keep_rebuilt,
            compiled=self.cfg.compile,
            skip_calm=self.cfg.skip_calm,
        )

    def facts(self, store: FrameStore) -> dict[str, Any]:
        """What the maps and instant scores depend on."""
        facts = {
            "model": self.model.digest(),
            **footage_facts(store),
            "rule": {k: v for k, v in asdict(self.rule).items() if k != "smooth_frames"},
            "precision": self.precision,
            "batch_frames": self.cfg.batch_frames,
            "keep_rebuilt": self.keep_rebuilt,
        }
        # older jobs know no such facts:
        named = ("compile", "skip_calm")
        return facts | {name: True for name in named if getattr(self.cfg, name)}

    def job(
        self, folder: Path, store: FrameStore, runs: list[Rows], rows_before: int | None
    ) -> ScoringJob:
        """The job of a store in a part folder; see ``ScoringJob``."""
        facts, delay = self.facts(store), self.scorer.delay
        return ScoringJob(folder, store, runs, facts, self.keep_rebuilt, rows_before, delay)

    def ahead(self, folder: Path) -> "ScoringAhead | nullcontext[None]":
        """Scores while the footage is decoded, where nothing is scored yet."""
        part = part_path(folder)
        if folder.exists() or part.exists():
            return nullcontext()
        return ScoringAhead(
            partial(self.job, part),
            partial(as_seen, self.model),
            lambda: self.scorer,
            self.cfg.batch_frames,
            self.model.gap_s,
        )


def open_decoded(
    footage: Footage, model: Scorable, cache: Path, follow: Follow | None = None
) -> FrameStore:
    """The footage at the size of the model's net; ``follow``: see ``open_store``."""
    note_other_depth(footage, model.preprocessing.levels)
    store = open_store(footage, model.preprocessing, cache, follow)
    note_other_shape(store, model.source_hw)
    return store


def as_seen(model: Scorable, store: FrameStore) -> FrameStore:
    """The pictures of a store as the model's net sees them."""
    return store if model.camera is None else canonical_store(model.camera, store)
