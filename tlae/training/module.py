"""The one LightningModule: it trains every net of the contract."""

import math

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlae.models.standardised import Standardised
from tlae.training.options import FitOptions
from tlae.training.recipe import Recipe

POSITIVE_WEIGHT = 3.0  # of planted pixels, which are rare


class Training(pl.LightningModule):
    """Minimise the net's error on normal clips.

    Logs ``loss/train``, ``loss/held_out`` (mean over watched pixels, unit of pixels in [0, 1]) and
    the learning rate; the losses of trivial baselines stand beside them (see ``callbacks``).

    Args:
        net: net with the camera's mean frame around it.
        options: how to fit.
        watched: (H, W) bool, False where ignored; None: everywhere.
        channels_last: memory layout of the weights.
        recipe: of the pseudo-anomalies that a net that segments is trained with; batches then hold
            longer spans of footage.
    """

    watched: Tensor | None

    def __init__(
        self,
        net: Standardised,
        options: FitOptions,
        watched: Tensor | None = None,
        *,
        channels_last: bool = False,
        recipe: Recipe | None = None,
    ) -> None:
        super().__init__()
        self.net = net.to(memory_format=torch.channels_last) if channels_last else net
        self.options, self.recipe = options, recipe
        self.register_buffer("watched", watched)

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        """Loss of one batch uint8 (B, C, T, H, W)."""
        epochs_before = self.current_epoch * int(self.trainer.num_training_batches)
        loss = self.loss(batch.float() / 255, self._number(epochs_before + batch_idx))
        self.log("loss/train", loss, on_step=False, on_epoch=True, batch_size=len(batch))
        self.log("loss", loss, prog_bar=True, logger=False, batch_size=len(batch))
        return loss

    def validation_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        """Loss of one held-out batch."""
        loss = self.loss(batch.float() / 255, self._number(batch_idx))
        self.log("loss/held_out", loss, prog_bar=True, sync_dist=True, batch_size=len(batch))
        return loss

    def _number(self, batch: int) -> int:
        """Number of a batch among those of all processes, which plant different things."""
        return batch * self.trainer.world_size + self.global_rank

    def loss(self, clip: Tensor, number: int = 0) -> Tensor:
        """Mean error over the watched pixels of the frames that the net answers for.

        Args:
            clip: (B, C, T, H, W) in [0, 1].
            number: of the batch; the seed of what is planted into it, if the net segments.
        """
        if self.net.segments:
            return self._segmentation_loss(clip, number)
        difference = self.net(clip).float() - self.net.target(clip)
        error = difference.abs() if self.options.loss == "absolute" else difference.square()
        if self.watched is not None:
            weights = self.watched.to(error)
            error = error * weights / weights.mean()
        loss: Tensor = error.mean()
        return loss

    def normal(self, clip: Tensor) -> Tensor:
        """The window that the net sees of a clip of a batch."""
        return clip if self.recipe is None else self.recipe.normal_window(clip)

    def _segmentation_loss(self, span: Tensor, number: int) -> Tensor:
        """Binary cross-entropy of the mask of what was planted."""
        assert self.recipe is not None
        generator = torch.Generator().manual_seed(number)
        clip, mask, weights = self.recipe.plant(span, self.net.viewed_mean, generator)
        if self.watched is not None:
            watched = self.watched.to(mask)[None, None]
            watched = F.interpolate(watched, mask.shape[-2:], mode="nearest").expand_as(mask)
            weights = watched if weights is None else weights * watched
        return F.binary_cross_entropy_with_logits(
            self.net.logits(clip).float(),
            mask,
            weights,
            pos_weight=torch.tensor(POSITIVE_WEIGHT, device=mask.device),
        )

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip as asked; Lightning refuses to beside fused optimizers, needlessly for bfloat16."""
        if not gradient_clip_val:
            return
        clip = nn.utils.clip_grad_value_ if gradient_clip_algorithm == "value" else None
        (clip or nn.utils.clip_grad_norm_)(self.net.parameters(), gradient_clip_val)

    def configure_optimizers(self) -> dict[str, object]:  # type: ignore[override]
        """AdamW or Adam; the rate rises linearly, then falls as a cosine to zero."""
        kind = torch.optim.AdamW if self.options.optimizer == "adamw" else torch.optim.Adam
        optimizer = kind(
            self.net.parameters(),
            lr=self.options.learning_rate,
            weight_decay=self.options.weight_decay,
            fused=next(self.net.parameters()).device.type in ("cpu", "cuda"),
        )
        steps = max(int(self.trainer.estimated_stepping_batches), 1)
        rising = max(round(self.options.warmup * steps), 1)

        def share(step: int) -> float:
            if step < rising:
                return (step + 1) / rising
            return 0.5 * (
                1 + math.cos(math.pi * min(1.0, (step - rising) / max(steps - rising, 1)))
            )

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }
