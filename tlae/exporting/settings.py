"""Settings of `tlae export`; see ``tlae.config``."""

from dataclasses import dataclass

from omegaconf import MISSING

from tlae.exported.engines import ENGINES
from tlae.setting_rules import one_of

FASTEST = "fastest"


@dataclass
class ExportConfig:
    """`tlae export`.

    Attributes:
        model_file: written by `tlae train`.
        out: file to write, ending in .onnx; null: beside the model file.
        engine: that runs the net: onnxruntime, opencv, openvino; fastest: of those that are
            installed here.
        overwrite: replace an exported model of that name.
    """

    model_file: str = MISSING
    out: str | None = None
    engine: str = "onnxruntime"
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuse what no export can do."""
        one_of("engine", self.engine, (*ENGINES, FASTEST))
