"""Settings of the commands that draw, plant and compare; see ``tlae.config``."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from tlae.config import TrainConfig
from tlae.config_parts import FootageConfig, PathsConfig
from tlae.lab.planting.options import PlantOptions
from tlae.lab.planting.stills.options import StillOptions
from tlae.lab.scenes.options import SceneOptions
from tlae.lab.sites.options import SiteOptions


@dataclass
class DemoConfig:
    """`tlae demo`.

    Attributes:
        out: everything goes here, unless paths.* say otherwise.
        name: of the run and its results.
        paths: where results go.
        model: any choice of `tlae train`; the attributes alone are learnt in a minute.
        train: further settings of `tlae train`.
        seed: of all chance.
    """

    out: str = "demo"
    name: str = "street"
    paths: PathsConfig = field(default_factory=PathsConfig)
    model: str = "attributes"
    train: list[str] = field(default_factory=list)
    seed: int = 0


@dataclass(frozen=True)
class SceneConfig(SceneOptions):
    """`tlae scene`.

    Attributes:
        out: new folder; the same scene found there is left alone.
    """

    out: str = MISSING


@dataclass(frozen=True)
class SiteConfig(SiteOptions):
    """`tlae site`.

    Attributes:
        out: new folder; the same site found there is left alone.
    """

    out: str = MISSING


@dataclass
class BenchmarkConfig(TrainConfig):
    """`tlae benchmark`: the settings of `tlae train`, and what to test on.

    Attributes:
        train_split: normal footage, in the folder given as footage.
        test_split: footage with labels, in the same folder.
        labels: see `tlae evaluate`; null: they lie in the test split.
        out: writes <out>/<name>/; name null: as the footage is called.
        planted: stills of many days: split by days, plant objects and nuisances.
        stills: how, with planted=true.
    """

    train_split: str = "Train"
    test_split: str = "Test"
    labels: str | None = None
    out: str = "benchmarks"
    planted: bool = False
    stills: StillOptions = field(default_factory=StillOptions)


@dataclass
class SpeedConfig:
    """`tlae benchmark speed`.

    Attributes:
        models: choices of `tlae train` that are measured.
        frames: of each kind of footage, at least 64.
        repeats: of each measurement; the median counts.
        out: a folder for the table and the plot.
    """

    models: list[str] = field(default_factory=lambda: ["cae_small", "segmenter"])
    frames: int = 256
    repeats: int = 5
    out: str = "speed"


@dataclass
class CompareConfig:
    """`tlae compare`.

    Attributes:
        scenes: folders, each with Train, Test (with labels, see docs/datasets.md) and, where
            something is to be ignored, mask.png.
        models: choices of `tlae train`; their settings are the same in all scenes.
        days: also score the test footage as it looks on another day: dark, dim, gamma, shift,
            shadow, noise, compressed, parked.
        seeds: of the trainings.
        train: further settings of `tlae train`, for all, each in quotes.
        score: further settings of `tlae score`, for all, each in quotes.
        maps: measure regions too.
        out: a folder; what is done there is not done again.
        paths: where decoded frames lie.
    """

    scenes: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=lambda: ["joint", "copy_last"])
    days: list[str] = field(default_factory=list)
    seeds: list[int] = field(default_factory=lambda: [0])
    train: list[str] = field(default_factory=list)
    score: list[str] = field(default_factory=list)
    maps: bool = True
    out: str = "benchmarks/comparison"
    paths: PathsConfig = field(default_factory=PathsConfig)


@dataclass(frozen=True)
class PlantConfig(PlantOptions):
    """`tlae plant`.

    Attributes:
        footage: what to read, and where its times come from.
        out: a new folder.
    """

    footage: FootageConfig = field(default_factory=FootageConfig)
    out: str = MISSING
