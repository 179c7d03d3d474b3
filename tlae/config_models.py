"""Types and defaults of the nets; see the files in ``configs/model/``."""

from dataclasses import dataclass, field

from omegaconf import II, MISSING


@dataclass
class ModelConfig:
    """A net: the class to build, and its arguments."""

    _target_: str = MISSING


@dataclass
class CaeConfig(ModelConfig):
    """Frame autoencoder, convolutional bottleneck."""

    _target_: str = "tlae.models.cae.ConvAutoencoder"
    channels: int = II("footage.channels")
    widths: list[int] = field(default_factory=lambda: [32, 32])  # filters of each stage
    code_channels: int = 8  # width of the bottleneck: the setting that matters


@dataclass
class CaeDenseConfig(ModelConfig):
    """Frame autoencoder as published, dense bottleneck."""

    _target_: str = "tlae.models.cae_dense.DenseAutoencoder"
    channels: int = II("footage.channels")
    size_hw: tuple[int, int] = II("footage.size_hw")
    width: int = 32  # filters of each stage
    code_size: int = 2000  # width of the bottleneck


@dataclass
class StaeConfig(ModelConfig):
    """Stacked-frame spatio-temporal autoencoder."""

    _target_: str = "tlae.models.stae.StackedAutoencoder"
    channels: int = II("footage.channels")
    window_frames: int = II("footage.window_frames")
    widths: list[int] = field(default_factory=lambda: [512, 256, 128])
    kernels_px: list[int] = field(default_factory=lambda: [15, 4, 3])
    stride_px: int = 4  # of the first convolution


@dataclass
class ConvLSTMConfig(ModelConfig):
    """ConvLSTM autoencoder."""

    _target_: str = "tlae.models.convlstm.ConvLSTMAutoencoder"
    channels: int = II("footage.channels")
    widths: list[int] = field(default_factory=lambda: [128, 64])  # filters of the encoder
    kernels_px: list[int] = field(default_factory=lambda: [11, 5])
    strides_px: list[int] = field(default_factory=lambda: [4, 2])
    memory: list[int] = field(default_factory=lambda: [64, 32, 64])  # channels of the LSTM layers
    ahead: int = 0  # 0 rebuilds each frame (published); n predicts it from n frames before
    modern: bool = False  # group norm and GELU instead of the published ReLU alone


@dataclass
class PredictorConfig(ModelConfig):
    """Frame predictor."""

    _target_: str = "tlae.models.predictor.FramePredictor"
    channels: int = II("footage.channels")
    window_frames: int = II("footage.window_frames")
    widths: list[int] = field(default_factory=lambda: [32, 64, 128])  # channels of each level
    residual: float = 0.5  # unit of the predicted change, in spreads around the mean frame


@dataclass
class SegmenterConfig(ModelConfig):
    """Anomaly segmenter."""

    _target_: str = "tlae.models.segmenter.AnomalySegmenter"
    channels: int = II("footage.channels")
    window_frames: int = II("footage.window_frames")
    widths: list[int] = field(default_factory=lambda: [32, 64, 128])  # channels of each level
    fastest: int = 3  # how many times the usual speed pseudo-anomalies reach


@dataclass
class StillSegmenterConfig(ModelConfig):
    """Anomaly segmenter for stills."""

    _target_: str = "tlae.models.still_segmenter.StillSegmenter"
    channels: int = II("footage.channels")
    window_frames: int = II("footage.window_frames")
    size_hw: tuple[int, int] = II("footage.size_hw")
    widths: list[int] = field(default_factory=lambda: [32, 64, 128])  # channels of each level
    bank_frames: int = 32  # backgrounds to compare with, a byte per pixel and channel each
    seen_frames: int = 128  # from which it learns how restless places are, a quarter of that each


@dataclass
class CopyLastConfig(ModelConfig):
    """Frame differencing."""

    _target_: str = "tlae.models.untrained.CopyLast"


@dataclass
class RunningMedianConfig(ModelConfig):
    """Difference to a running median background."""

    _target_: str = "tlae.models.untrained.RunningMedian"
    step: float = 0.02  # how far the median moves per frame, in spreads around the mean frame


@dataclass
class MostAlikeConfig(ModelConfig):
    """Difference to the most alike frame of the training footage."""

    _target_: str = "tlae.models.most_alike.MostAlike"
    local_light: bool = False  # local brightness and contrast are no error
    light_fraction: float = 0.33  # how local: side of a box, in frame heights


MODEL_SCHEMAS: dict[str, type] = {
    "model/cae_schema": CaeConfig,
    "model/cae_dense_schema": CaeDenseConfig,
    "model/stae_schema": StaeConfig,
    "model/convlstm_schema": ConvLSTMConfig,
    "model/predictor_schema": PredictorConfig,
    "model/segmenter_schema": SegmenterConfig,
    "model/still_segmenter_schema": StillSegmenterConfig,
    "model/copy_last_schema": CopyLastConfig,
    "model/running_median_schema": RunningMedianConfig,
    "model/most_alike_schema": MostAlikeConfig,
}
