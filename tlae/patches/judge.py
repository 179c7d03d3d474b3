"""A small net that tells things drawn into normal stills from what changes by itself."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlae.patches.evidence import channels
from tlae.progress import progress

WIDTH = 24
DILATIONS = (1, 2, 4, 1)
EPOCHS = 6
BATCH = 16
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 1e-2
COVERED = 0.4  # share of a cell from which on it belongs to a thing
LEAST_SPREAD = 0.05
MEASURED = 200  # examples, for mean and spread


class PatchJudge(nn.Module):
    """Logits that each place shows a thing that is not normally there.

    Residual convolutions of growing reach (Yu and Koltun 2016, *Multi-scale context aggregation by
    dilated convolutions*) over the evidence, so that the shape of what is unusual counts: a thing
    is compact and has an edge, light and weather have neither.

    Args:
        planes: of the stills, see ``features.Still``.

    Shapes:
        evidence: (n, E, h, w); output: (n, h, w).
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, planes: int) -> None:
        super().__init__()
        given = channels(planes)
        self.register_buffer("mean", torch.zeros(given, 1, 1))
        self.register_buffer("spread", torch.ones(given, 1, 1))
        self.first = nn.Conv2d(given, WIDTH, 1)
        self.blocks = nn.ModuleList(
            nn.Conv2d(WIDTH, WIDTH, 3, padding=reach, dilation=reach) for reach in DILATIONS
        )
        self.last = nn.Conv2d(WIDTH, 1, 1)

    def forward(self, evidence: Tensor) -> Tensor:
        """Logits."""
        hidden = F.relu(self.first((evidence - self.mean) / self.spread))
        for block in self.blocks:
            hidden = hidden + F.relu(block(hidden))
        logits: Tensor = self.last(hidden)
        return logits[:, 0]


def fit_judge(
    judge: PatchJudge, evidence: Tensor, things: Tensor, generator: torch.Generator
) -> None:
    """Fit a judge in place.

    Args:
        judge: to fit; its weights are frozen afterwards.
        evidence: (n, E, h, w) of any precision, of normal stills and of stills with things
            drawn into them.
        things: (n, h, w), share of each cell that a thing covers.
        generator: of the order of examples.
    """
    measured = evidence[:: max(1, len(evidence) // MEASURED)].float()
    judge.mean.copy_(measured.mean((0, 2, 3))[:, None, None])
    judge.spread.copy_(measured.std((0, 2, 3)).clamp_min(LEAST_SPREAD)[:, None, None])
    truth = (things > COVERED).float()
    batches = max(1, len(evidence) // BATCH)
    weights = list(judge.parameters())
    for weight in weights:
        weight.requires_grad_(True)
    optimiser = torch.optim.AdamW(weights, LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, LEARNING_RATE, total_steps=EPOCHS * batches
    )
    with torch.enable_grad(), progress("fitting the judge", EPOCHS * batches, "steps") as advance:
        for _ in range(EPOCHS):
            order = torch.randperm(len(evidence), generator=generator)
            for some in order[: batches * BATCH].chunk(batches):
                logits = judge(evidence[some].float())
                loss = F.binary_cross_entropy_with_logits(logits, truth[some])
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
                advance()
    for weight in weights:
        weight.requires_grad_(False)
