"""What live scoring asks of a model, and the models that offer it: trained ones, exported ones."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from tlae.budget import Budget
from tlae.camera.camera import Camera
from tlae.footage.frames import Image
from tlae.footage.preprocess import Preprocessing
from tlae.missing_library import explaining_imports
from tlae.scoring.calibrate import Calibration
from tlae.scoring.rule import ScoringRule
from tlae.scoring.scored_frames import Scorer
from tlae.tensor_file import EXPORTED_SUFFIX

if TYPE_CHECKING:
    from tlae.exported.model import ExportedModel
    from tlae.model_file import Model


@runtime_checkable
class Scorable(Protocol):
    """A model that scores frames.

    Attributes:
        rule: scoring rule that the calibration was made with.
        budget: what makes an alarm, unless scoring asks for something else.
        calibration: scores of held-out normal footage, before smoothing in time.
        camera: what frames go through after the preprocessing; None: nothing.
        source_hw: size of the camera's pictures in training; None: not known.
        file: where it lies; None: nowhere.
    """

    @property
    def rule(self) -> ScoringRule: ...  # noqa: D102  above
    @property
    def budget(self) -> Budget: ...  # noqa: D102
    @property
    def calibration(self) -> Calibration: ...  # noqa: D102
    @property
    def camera(self) -> Camera | None: ...  # noqa: D102
    @property
    def source_hw(self) -> tuple[int, int] | None: ...  # noqa: D102
    @property
    def file(self) -> Path | None: ...  # noqa: D102

    @property
    def preprocessing(self) -> Preprocessing:
        """What a frame goes through before the net."""
        ...

    @property
    def gap_s(self) -> float:
        """An interval longer than this ends a run [s]; 0: none does."""
        ...

    @property
    def span_frames(self) -> int:
        """Frames from the first to the last of a window."""
        ...

    @property
    def precision(self) -> str:
        """Of the arithmetic that the calibration was made with."""
        ...

    @property
    def shows_expected(self) -> bool:
        """Whether a scorer can give the pictures that the net expected."""
        ...

    @property
    def watched_places(self) -> npt.NDArray[np.bool_] | None:
        """(H, W), False where changes do not count; None: all count."""
        ...

    @property
    def mean_picture(self) -> Image | None:
        """Mean of the training footage, (H, W, C) uint8; None: not known."""
        ...

    def examples(self) -> Image:
        """Pictures of normal things, (n, h, w, C); empty where the model keeps none."""
        ...

    def digest(self) -> str:
        """What scores know the model by, wherever it lies: sha256 of its file."""
        ...

    def differing(self, rule: ScoringRule) -> list[str]:
        """What makes scores under a rule others than those that the model was calibrated on."""
        ...

    def scorer(
        self,
        rule: ScoringRule,
        device: str,
        *,
        precision: str | None = None,
        keep_rebuilt: bool = False,
        compiled: bool = False,
        skip_calm: bool = False,
    ) -> Scorer:
        """A scorer under a rule; see ``scoring.scorer.FrameScorer``.

        Args:
            rule: how errors become scores.
            device: see ``device.pick_device``.
            precision: None: that of the calibration.
            keep_rebuilt: whether what the net expected is asked for.
            compiled: whether the net is compiled first.
            skip_calm: whether the net is spared where nothing happens; never of stills.

        Raises:
            UserError: the model cannot score by this rule, or on this device.
        """
        ...


def run_name(model_file: Path) -> str:
    """Short name of a model: its run folder, or its file name where it lies alone."""
    return model_file.resolve().parent.name if model_file.stem == "model" else model_file.stem


def load_scorable(path: Path) -> "Model | ExportedModel":
    """Read the file of a trained or of an exported model; only the former needs torch.

    Raises:
        ModelFileError: it is missing, damaged, or written by something else.
        UserError: it is of a trained model, and torch is not installed.
    """
    if path.suffix == EXPORTED_SUFFIX:
        from tlae.exported.model import load_exported

        return load_exported(path)
    with explaining_imports(f"model_file {path}"):
        from tlae.model_file import load_model
    return load_model(path)
