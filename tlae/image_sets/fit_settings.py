"""Settings of the commands that fit a judge of pictures; see ``tlae.config``."""

from dataclasses import dataclass, field
from typing import ClassVar

from omegaconf import MISSING

from tlae.image_sets.descriptor_settings import DescriptorSettings
from tlae.image_sets.novelty_defaults import AUTO
from tlae.image_sets.preparation import SCALERS
from tlae.image_sets.settings import PreparationConfig
from tlae.setting_rules import LARGE, share, within


@dataclass
class RunPathsConfig:
    """Where a fitted model goes.

    Attributes:
        checkpoints: fit writes <checkpoints>/<name>/.
    """

    checkpoints: str = "checkpoints"


@dataclass(frozen=True)
class JudgeFitConfig(DescriptorSettings, PreparationConfig):
    """What `tlae novelty fit` and `tlae filter fit` share.

    Attributes:
        scaler: auto: scaler and pca that suit descriptor and method; or as for cluster.
        name: run folder; null: called after the pictures and the method.
        folds: parts of the pictures that are held out in turn.
        false_alarm_rate: share of normal or good pictures above the threshold.
        paths: where results go.
    """

    scaler: str = AUTO
    scalers: ClassVar[tuple[str, ...]] = (AUTO, *SCALERS)
    name: str | None = None
    folds: int = 5
    false_alarm_rate: float | None = None
    paths: RunPathsConfig = field(default_factory=RunPathsConfig)

    def __post_init__(self) -> None:
        """Refuse what no fit can hold out."""
        DescriptorSettings.__post_init__(self)
        PreparationConfig.__post_init__(self)
        within("folds", self.folds, 2, 10_000)
        share("false_alarm_rate", self.false_alarm_rate)


@dataclass(frozen=True)
class NoveltyFitConfig(JudgeFitConfig):
    """`tlae novelty fit`.

    Attributes:
        images: normal pictures: folder, picture, video, zip file or glob pattern.
        descriptors: or a folder written by describe; descriptor=... says which of it.
        unfiltered: pictures or descriptors that may hold anything: on the page.
        method: see `--help` of the command.
        name: run folder; null: <images>-<method>.
        false_alarm_rate: share of normal pictures that may be called outliers.
        threshold: fixed; wins over the rate.
    """

    images: str | None = None
    descriptors: str | None = None
    unfiltered: str | None = None
    method: str = "nearest_neighbours"
    folds: int = 10
    false_alarm_rate: float = 0.05
    threshold: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no threshold can be."""
        super().__post_init__()
        within("threshold", self.threshold, -LARGE)


@dataclass(frozen=True)
class FilterFitConfig(JudgeFitConfig):
    """`tlae filter fit`.

    Attributes:
        good: pictures to keep; or descriptors, a folder written by describe.
        bad: pictures to keep out.
        method: or gradient_boosting.
        quadrants: describe the four quarters of each picture, for small marks.
        name: run folder; null: <good>-<bad>-<method>.
        false_alarm_rate: share of good pictures that may be called bad.
        threshold: probability of being bad, where no rate is given.
    """

    good: str = MISSING
    bad: str = MISSING
    method: str = "logistic_regression"
    quadrants: bool = False
    threshold: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what no threshold can be."""
        super().__post_init__()
        within("threshold", self.threshold, 0, 1)
