"""What TensorBoard shows of a net."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from pytorch_lightning.loggers import TensorBoardLogger

from tests.training.test_moving_anomalies import EMPTY, RECIPE, WINDOW, spans
from tlae.models.cae import ConvAutoencoder
from tlae.models.contract import Net
from tlae.models.predictor import FramePredictor
from tlae.models.segmenter import AnomalySegmenter
from tlae.models.standardised import Standardised
from tlae.palette import HEAT
from tlae.scoring.rule import ScoringRule
from tlae.training.module import Training
from tlae.training.options import FitOptions
from tlae.training.pictures import JudgeCurves, PictureGrid, in_heat, picture_grid, roc


def shown_of(net: Net, folder: Path) -> dict[str, list[str]]:
    """Tags of each kind that an epoch of validation leaves."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    recipe = RECIPE if net.segments else None
    module = Training(Standardised(net, EMPTY, 0.1), FitOptions(), recipe=recipe)
    board = TensorBoardLogger(folder)
    trainer = SimpleNamespace(logger=board, current_epoch=0)
    batch = (255 * (spans(12) if recipe else spans(12)[:, :, -WINDOW:])).to(torch.uint8)
    grid, curves = PictureGrid(ScoringRule(), 3), JudgeCurves()
    for callback in (grid, curves):
        callback.on_validation_batch_end(trainer, module, None, batch, 0)  # type: ignore[arg-type]
    curves.on_validation_epoch_end(trainer, module)  # type: ignore[arg-type]
    board.experiment.flush()
    written = accumulator.EventAccumulator(board.log_dir)
    written.Reload()
    tags: dict[str, list[str]] = written.Tags()
    return tags


@pytest.mark.parametrize(
    ("net", "tag"),
    [
        (ConvAutoencoder(widths=(4, 4)), "pictures/frame | rebuilt | error | smoothed error"),
        (
            FramePredictor(window_frames=WINDOW, widths=(4, 8)),
            "pictures/next frame | predicted | error | smoothed error",
        ),
        (
            AnomalySegmenter(window_frames=WINDOW, widths=(4, 8)),
            "pictures/with planted things | where they are | answer",
        ),
    ],
)
def test_the_tag_says_what_the_columns_are(net: Net, tag: str, tmp_path: Path) -> None:
    tags = shown_of(net, tmp_path)
    assert tag in tags["images"]
    judged = {"planted things/ROC"} if net.segments else set()
    assert set(tags["images"]) == {tag} | judged
    assert ("planted things/ROC AUC of pixels" in tags["scalars"]) == net.segments
    assert ("planted things/precision and recall" in tags["tensors"]) == net.segments


def test_roc_of_a_hand_made_case() -> None:
    scores = torch.tensor([0.9, 0.8, 0.8, 0.1])
    false, true = roc(scores, torch.tensor([True, True, False, False]))
    assert true.tolist() == [0, 0.5, 1, 1]
    assert false.tolist() == [0, 0, 0.5, 1]
    assert float(torch.trapezoid(true, false)) == pytest.approx(0.875)  # one tie counts half


def test_heat_is_black_at_0_and_lightest_at_1() -> None:
    ends = in_heat(torch.tensor([[[0.0, 1.0, 7.0]]]))[0, :, 0].T
    assert ends[0].tolist() == [0, 0, 0]
    torch.testing.assert_close(255 * ends[1], torch.tensor(HEAT[-1]).float())
    torch.testing.assert_close(ends[1], ends[2])


def test_the_grid_has_a_row_for_each_frame() -> None:
    columns = [torch.full((3, 3, 32, 32), value) for value in (0.2, 0.6)]
    grid = picture_grid(columns)
    assert grid.shape == (3, 3 * (256 + 2) + 2, 2 * (256 + 2) + 2)
    assert grid[0, 100, [100, 400]].tolist() == pytest.approx([0.2, 0.6])
