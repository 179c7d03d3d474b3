"""Settings of the commands that sort large sets of pictures; see ``tlae.config``."""

from dataclasses import dataclass, field
from typing import ClassVar

from omegaconf import MISSING

from tlae.errors import require_known
from tlae.image_sets.cluster_settings import FEWEST, ClusterOptions
from tlae.image_sets.descriptor_settings import NAMES, DescriptorSettings
from tlae.image_sets.maps import MAPS
from tlae.image_sets.picture_quality import QualityConfig
from tlae.image_sets.preparation import SCALERS
from tlae.setting_rules import LARGE, one_of, require_device, share, within


@dataclass(frozen=True)
class PreparationConfig:
    """What descriptors go through before an estimator.

    Attributes:
        scaler: none, standard, floored, robust, minmax, l2.
        pca: principal components, or the share of variance to keep; null: all.
        whiten: all components get the same spread.
    """

    scaler: str = "none"
    pca: float | None = None
    whiten: bool = False
    scalers: ClassVar[tuple[str, ...]] = SCALERS  # known here

    def __post_init__(self) -> None:
        """Refuse what prepares nothing."""
        one_of("scaler", self.scaler, self.scalers)
        within("pca", self.pca, 0, 100_000, open_low=True)


@dataclass(frozen=True)
class ClusterConfig(ClusterOptions, PreparationConfig):
    """`tlae cluster`.

    Attributes:
        descriptors: folder written by describe.
        descriptor: which one, where the folder holds several.
        method: see `--help` of the command.
        k: number of clusters, or a span to choose from: 2..20.
        stability: pairs of random parts that are clustered and compared.
        against: hour or day: agreement with the hour of day, or with the date.
        compare: folders or label tables of other clusterings, with commas or glob patterns.
        consensus: labels that this run and those of compare agree on, and where they disagree.
        fewest: clusters of fewer pictures are outliers; 1: all stay.
        map: pca, tsne or umap: draw a map of the clusters, map.png; null: none.
        map_dimensions: 2 or 3.
        images: where the pictures are now, if they moved since.
        samples: pictures of each cluster on its sheet; 0: no sheets.
        out: null: clusters/<descriptors>-<descriptor>-<method>.
    """

    descriptors: str = MISSING
    descriptor: str | None = None
    k: str | None = None
    pca: float | None = 50
    stability: int = 0
    against: str | None = None
    compare: str | None = None
    consensus: bool = False
    fewest: int = FEWEST
    map: str | None = None
    map_dimensions: int = 2
    images: str | None = None
    samples: int = 20
    out: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be compared or shown."""
        ClusterOptions.__post_init__(self)
        PreparationConfig.__post_init__(self)
        within("stability", self.stability, 0, 1000)
        within("samples", self.samples, 0, 10_000)
        within("fewest", self.fewest, 1)
        within("map_dimensions", self.map_dimensions, 2, 3)
        if self.map is not None:
            require_known(self.map, MAPS, "map")
        if self.consensus and self.compare is None:
            raise ValueError("consensus=true needs compare=..., the other runs")


@dataclass(frozen=True)
class DescribeConfig(DescriptorSettings):
    """`tlae describe`.

    Attributes:
        images: folder, picture, video, zip file or glob pattern.
        out: descriptor store; further descriptors of the same images join it.
        name: of the descriptor in the store; null: as the descriptor is called.
        tiles: cut every picture into n x n tiles; null: whole pictures.
        tiles_hw: cut into so many down and across; wins over tiles.
        from_file: import descriptors: .npy, .npz, .csv, .parquet, .pkl.
        ids: their names, one per row: .txt, .csv, .parquet, .npy.
        id_column: column of names; null: the first of text.
        dtype: of the stored numbers: float32, float16 (half the space).
        batch_size: pictures at once; auto: as many as memory allows.
        device: auto, cpu, cuda, cuda:1, mps.
        time_pattern: strptime pattern of the time in file names.
        exclude: glob patterns of files that are no pictures: *_thumb.jpg,raw/*.
        overwrite: replace a descriptor of the same name with other settings.
    """

    images: str | None = None
    out: str = MISSING
    name: str | None = None
    tiles: int | None = None
    tiles_hw: tuple[int, int] | None = None
    from_file: str | None = None
    ids: str | None = None
    id_column: str | None = None
    dtype: str = "float32"
    batch_size: str = "auto"
    device: str = "auto"
    time_pattern: str | None = None
    exclude: str | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be stored."""
        super().__post_init__()
        require_known(self.descriptor, NAMES, "descriptor")
        within("tiles", self.tiles, 1, 1000)
        for tiles in self.tiles_hw or ():
            within("tiles_hw", tiles, 1, 1000)
        one_of("dtype", self.dtype, ("float32", "float16"))
        require_device(self.device)


@dataclass
class JudgeConfig:
    """What `tlae novelty score` and `tlae filter score` share.

    Attributes:
        model_file: written by fit.
        images: pictures to judge.
        descriptors: or a folder written by describe.
        descriptor: which one, where the folder holds several.
        false_alarm_rate: another budget than at fit.
        threshold: fixed; wins over the rate.
        pictures: copies with the verdict drawn on, highest scores first; 0: none.
        again: judge all pictures, also those that ``out`` has a verdict on already.
        out: null: scores/<model>-<images>.
    """

    model_file: str = MISSING
    images: str | None = None
    descriptors: str | None = None
    descriptor: str | None = None
    false_alarm_rate: float | None = None
    threshold: float | None = None
    pictures: int = 200
    again: bool = False
    out: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no threshold can be."""
        share("false_alarm_rate", self.false_alarm_rate)
        within("threshold", self.threshold, -LARGE)
        within("pictures", self.pictures, 0)
        if self.threshold is not None and self.false_alarm_rate is not None:
            raise ValueError("threshold and false_alarm_rate must not both be given; give one")


@dataclass
class NoveltyScoreConfig(JudgeConfig):
    """`tlae novelty score`.

    Attributes:
        filter: written by `tlae filter fit`: asked of what the model calls normal; null: none.
        filter_threshold: of the filter; null: as fitted.
        duplicate_bits: pictures whose perceptual hashes differ in at most so many of their 64 bits
            from one that is kept are unusual (6 is a good number); null: copies are not looked for.
        quality: faults of a picture that make it unusual.
    """

    filter: str | None = None
    filter_threshold: float | None = None
    duplicate_bits: int | None = None
    quality: QualityConfig = field(default_factory=QualityConfig)

    def __post_init__(self) -> None:
        """Refuse what no threshold can be."""
        super().__post_init__()
        within("filter_threshold", self.filter_threshold, 0, 1)
        within("duplicate_bits", self.duplicate_bits, 0, 32)
        if self.filter_threshold is not None and self.filter is None:
            raise ValueError("filter_threshold needs filter=..., a model of `tlae filter fit`")


@dataclass
class FilterScoreConfig(JudgeConfig):
    """`tlae filter score`."""


@dataclass
class ImageFilterConfig:
    """Two judges in order: what `tlae serve zmq` and `tlae feed` share.

    Attributes:
        model_file: written by `tlae novelty fit`: what it calls normal is kept.
        filter: written by `tlae filter fit`: asked of what the model keeps; null: none.
        false_alarm_rate: of the model: another budget than at fit.
        threshold: of the model: fixed, in place of a rate.
        filter_threshold: of the filter; null: as fitted.
    """

    model_file: str = MISSING
    filter: str | None = None
    false_alarm_rate: float | None = None
    threshold: float | None = None
    filter_threshold: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no threshold can be."""
        share("false_alarm_rate", self.false_alarm_rate)
        within("threshold", self.threshold, -LARGE)
        if self.threshold is not None and self.false_alarm_rate is not None:
            raise ValueError("threshold and false_alarm_rate must not both be given; give one")
        within("filter_threshold", self.filter_threshold, 0, 1)
        if self.filter_threshold is not None and self.filter is None:
            raise ValueError("filter_threshold needs filter=..., a model of `tlae filter fit`")
