"""Settings of `tlae export`; see ``tlae.config``."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from tlae.config_parts import FootageConfig, PathsConfig
from tlae.exported.engines import ENGINES
from tlae.exported.model import FLOAT32, INT8, PRECISIONS
from tlae.exporting.int8 import ENGINE
from tlae.setting_rules import one_of

FASTEST = "fastest"


@dataclass
class Int8FootageConfig(FootageConfig):
    """Normal footage for precision=int8.

    Attributes:
        path: of normal footage that the net did not learn from; `footage=PATH` is short; only for
            precision=int8.
    """

    path: str = ""


@dataclass
class ExportConfig:
    """`tlae export`.

    Attributes:
        model_file: written by `tlae train`.
        footage: what to read, and where its times come from.
        out: file to write, ending in .onnx; null: beside the model file.
        engine: that runs the net: onnxruntime, opencv, openvino; fastest: of those that are
            installed here.
        precision: float32, int8 (convolutions in 8 bits, calibrated anew on footage).
        paths: where decoded frames lie.
        overwrite: replace an exported model of that name.
    """

    model_file: str = MISSING
    footage: Int8FootageConfig = field(default_factory=Int8FootageConfig)
    out: str | None = None
    engine: str = ENGINES[0]
    precision: str = FLOAT32
    paths: PathsConfig = field(default_factory=PathsConfig)
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuse what no export can do."""
        one_of("engine", self.engine, (*ENGINES, FASTEST))
        one_of("precision", self.precision, PRECISIONS)
        if self.precision == INT8 and not self.footage.path:
            raise ValueError(
                "footage must be given with precision=int8, which is calibrated on it, got none; "
                "give normal footage that the net did not learn from"
            )
        if self.precision == INT8 and self.engine != ENGINE:
            raise ValueError(f"engine must be {ENGINE} with precision=int8, got {self.engine!r}")
        if self.precision == FLOAT32 and self.footage.path:
            raise ValueError(
                f"footage is for precision=int8 alone, got {self.footage.path}; leave it out"
            )
