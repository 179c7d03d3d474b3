"""What TensorBoard shows besides losses: pictures that say what the net does, curves of a judge."""

from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor

from tlae.palette import HEAT
from tlae.scoring.error_map import error_map
from tlae.scoring.rule import ScoringRule
from tlae.scoring.smooth import smooth_map
from tlae.training.module import Training

GRID_PX = 2  # white lines between pictures
WIDEST_PX = 256  # of a picture
BRIGHT_QUANTILE = 0.999  # of the errors of the first pictures of a run: full heat
JUDGED_BATCHES = 4  # of held-out windows, in which planted things are judged
JUDGED_PIXELS = 50_000  # of each, for the curves
LEAST = 1e-6


class PictureGrid(pl.Callback):
    """A grid in TensorBoard after each epoch; its tag says what the columns are.

    Of a net that rebuilds or predicts: what it saw, its answer, the error, the smoothed error. Of a
    net that segments: a held-out clip with things planted into it, where they are, its answer.
    Errors are in the colours of heat, from 0 to what was high in the first pictures of the run, so
    that pictures of different epochs compare.

    Args:
        rule: scoring rule, for error and map.
        count: frames shown, evenly spread over the first held-out batch; 0: none.
    """

    def __init__(self, rule: ScoringRule, count: int) -> None:
        self.rule, self.count = rule, count
        self.full: list[float] = []  # error of full heat in each column of errors

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Tensor,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Draw the first batch."""
        board = trainer.logger
        if batch_idx or not self.count or not isinstance(board, TensorBoardLogger):
            return
        assert isinstance(pl_module, Training)
        spread = torch.linspace(0, len(batch) - 1, min(self.count, len(batch))).round().long()
        clip = batch[spread.to(batch.device)].float() / 255
        with torch.no_grad():
            shown = self._judged(pl_module, clip) if pl_module.net.segments else None
            tag, columns = shown or self._answered(pl_module, clip)
        board.experiment.add_image(tag, picture_grid(columns).cpu(), trainer.current_epoch)

    def _judged(self, module: Training, span: Tensor) -> tuple[str, list[Tensor]]:
        """Of a net that segments."""
        planted = planted_of(module, span, 0)
        size = planted.clip.shape[-2:]
        mask, answer = (_sized(part[:, -1:], size) for part in (planted.mask, planted.share))
        columns = [_in_colour(planted.clip), _in_colour(mask), in_heat(answer[:, 0])]
        return "pictures/with planted things | where they are | answer", columns

    def _answered(self, module: Training, clip: Tensor) -> tuple[str, list[Tensor]]:
        """Of a net that rebuilds or predicts."""
        net = module.net
        seen = module.normal(clip)
        answer, target = net(seen)[:, :, -1].float(), net.target(seen)[:, :, -1]
        error = error_map(answer, target, self.rule.error)
        kernel = "box_mean" if self.rule.kernel == "box_sum" else self.rule.kernel
        smoothed = smooth_map(
            error, kernel, self.rule.kernel_size_px(target.shape[-2]), module.watched
        )
        errors = [error, smoothed]
        self.full = self.full or [_high(one) for one in errors]
        hot = [in_heat(one / full) for one, full in zip(errors, self.full, strict=True)]
        words = "predicted" if net.net.ahead else "rebuilt"
        last = "next frame" if net.net.ahead else "frame"
        pictures = [_in_colour(part) for part in (target, answer)]
        return f"pictures/{last} | {words} | error | smoothed error", [*pictures, *hot]


class JudgeCurves(pl.Callback):
    """Precision and recall, and ROC, of a net that segments, on planted held-out clips.

    Every pixel of the first held-out batches is judged, planted or not; what is planted is the same
    in every epoch.
    """

    def __init__(self) -> None:
        self.shares: list[Tensor] = []
        self.masks: list[Tensor] = []

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Tensor,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Judge the pixels of a batch."""
        assert isinstance(pl_module, Training)
        if batch_idx >= JUDGED_BATCHES or not pl_module.net.segments:
            return
        with torch.no_grad():
            planted = planted_of(pl_module, batch.float() / 255, batch_idx)
        share, mask = planted.share.flatten(), planted.mask.flatten() > 0.5
        step = max(1, len(share) // JUDGED_PIXELS)
        self.shares.append(share[::step].cpu())
        self.masks.append(mask[::step].cpu())

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw the curves."""
        board = trainer.logger
        if not self.shares or not isinstance(board, TensorBoardLogger):
            return
        shares, masks = torch.cat(self.shares), torch.cat(self.masks)
        self.shares, self.masks = [], []
        if not masks.any() or masks.all():
            return
        epoch, writer = trainer.current_epoch, board.experiment
        false, true = roc(shares, masks)
        writer.add_pr_curve("planted things/precision and recall", masks, shares, epoch)
        area = float(torch.trapezoid(true, false))
        writer.add_scalar("planted things/ROC AUC of pixels", area, epoch)
        writer.add_figure("planted things/ROC", _roc_figure(false, true), epoch)


@dataclass(frozen=True)
class JudgedClips:
    """Clips with planted things, and what the net says of them.

    Attributes:
        clip: (B, C, H, W) in [0, 1], the last frame.
        mask: (B, T, h, w), 1 where a thing is planted.
        share: (B, T, h, w), the net's probabilities.
    """

    clip: Tensor
    mask: Tensor
    share: Tensor


def planted_of(module: Training, span: Tensor, number: int) -> JudgedClips:
    """Plant into held-out footage as the loss of validation does, and let the net judge.

    Args:
        module: of a net that segments.
        span: (B, C, L, H, W) in [0, 1].
        number: of the batch; the seed of what is planted.
    """
    assert module.recipe is not None
    generator = torch.Generator().manual_seed(number)
    planted = module.recipe.plant(span, module.net.viewed_mean, generator)
    share = torch.sigmoid(module.net.logits(planted.clip).float())
    return JudgedClips(planted.clip[:, :, -1], planted.mask, share)


def roc(scores: Tensor, positive: Tensor) -> tuple[Tensor, Tensor]:
    """False and true positive rates at every distinct score, from (0, 0) to (1, 1).

    Args:
        scores: (n,), higher is more anomalous.
        positive: (n,) bool, of both kinds.
    """
    order = scores.argsort(descending=True)
    ranked, hits = scores[order], positive[order].double()
    last = torch.cat([ranked[1:] != ranked[:-1], torch.ones(1, dtype=torch.bool)])
    true, false = hits.cumsum(0)[last], (1 - hits).cumsum(0)[last]
    start = torch.zeros(1, dtype=torch.float64)
    return torch.cat([start, false / false[-1]]), torch.cat([start, true / true[-1]])


def in_heat(values: Tensor) -> Tensor:
    """Values (n, H, W), 0 black and 1 full heat -> (n, 3, H, W) in [0, 1]."""
    stops = torch.tensor([(0, 0, 0), *HEAT], device=values.device, dtype=torch.float32) / 255
    place = values.float().clamp(0, 1) * (len(stops) - 1)
    low = place.floor().long().clamp_max(len(stops) - 2)
    part = (place - low)[..., None]
    return torch.lerp(stops[low], stops[low + 1], part).movedim(-1, 1)


def picture_grid(columns: list[Tensor]) -> Tensor:
    """One row for each frame, white lines between.

    Args:
        columns: (n, 3, H, W) in [0, 1] each.

    Returns:
        (3, n rows, columns of pixels), in [0, 1].
    """
    rows = torch.stack(columns, dim=1).flatten(0, 1)  # (n * columns, 3, H, W)
    wide = WIDEST_PX / rows.shape[-1]
    if wide < 1:
        rows = F.interpolate(rows, scale_factor=wide, mode="area")
    elif wide >= 2:
        rows = F.interpolate(rows, scale_factor=float(int(wide)), mode="nearest")
    framed = F.pad(rows, (GRID_PX, 0, GRID_PX, 0), value=1.0)
    framed = framed.reshape(-1, len(columns), *framed.shape[1:])
    grid = framed.permute(2, 0, 3, 1, 4).flatten(3, 4).flatten(1, 2)
    return F.pad(grid, (0, GRID_PX, 0, GRID_PX), value=1.0)


def _in_colour(pictures: Tensor) -> Tensor:
    """(n, 1 or 3, H, W) -> (n, 3, H, W) in [0, 1]."""
    return pictures.float().clamp(0, 1).expand(-1, 3, -1, -1)


def _sized(pictures: Tensor, size_hw: torch.Size) -> Tensor:
    return F.interpolate(pictures.float(), tuple(size_hw), mode="nearest")


def _high(error: Tensor) -> float:
    """Error of full heat."""
    some = error.flatten().float().cpu()[:1_000_000]  # torch.quantile takes 16 million at most
    return max(float(torch.quantile(some, BRIGHT_QUANTILE)), LEAST)


def _roc_figure(false: Tensor, true: Tensor) -> Any:
    """ROC as a figure of matplotlib."""
    from matplotlib.figure import Figure

    figure = Figure((4, 4), layout="tight")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle=":")
    axes.plot(false.numpy(), true.numpy())
    axes.set(xlabel="normal pixels called anomalous", ylabel="planted pixels found")
    return figure
