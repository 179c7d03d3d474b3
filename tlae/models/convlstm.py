"""ConvLSTM autoencoder: frames encoded one by one, remembered over time, decoded one by one."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tlae.models.blocks import ConvLSTMCell, activation, pad_to, start_at_zero
from tlae.models.contract import Net, State


class ConvLSTMAutoencoder(Net):
    """Per-frame convolutions, three ConvLSTM layers over time, mirrored decoder.

    Published size (defaults, Chong & Tay 2017, section 3): 227x227 grey, 128 filters 11x11 at
    stride 4, 64 of 5x5 at stride 2, ConvLSTM 64-32-64. The recurrence runs over the frames of the
    clip; its state can be carried on from frame to frame.

    Args:
        channels: of a frame.
        widths: filters of the encoder's stages.
        kernels_px: side of the kernel of each stage.
        strides_px: of each stage.
        memory: channels of the ConvLSTM layers.
        ahead: 0 rebuilds each frame as published; n > 0 predicts each frame from those up to n
            frames before it, as a change on the last frame seen.
        modern: group norm and GELU instead of the published ReLU alone; learns faster.

    Shapes:
        clip: (B, C, T, H, W), any H and W, T > ahead.
        output: (B, C, T - ahead, H, W): all frames but the first ``ahead``.
    """

    streams = True

    def __init__(
        self,
        channels: int = 1,
        widths: Sequence[int] = (128, 64),
        kernels_px: Sequence[int] = (11, 5),
        strides_px: Sequence[int] = (4, 2),
        memory: Sequence[int] = (64, 32, 64),
        ahead: int = 0,
        modern: bool = False,
    ) -> None:
        super().__init__()
        if ahead < 0:
            raise ValueError(f"model.ahead must be >= 0 (0 rebuilds, n predicts), got {ahead}")
        self.kernels_px, self.strides_px = tuple(kernels_px), tuple(strides_px)
        self.ahead = ahead
        self.encoder = nn.Sequential(
            nn.Conv2d(channels, widths[0], kernels_px[0], strides_px[0]),
            *activation(widths[0], modern=modern),
            nn.Conv2d(widths[0], widths[1], kernels_px[1], strides_px[1]),
            *activation(widths[1], modern=modern),
        )
        inputs = [widths[1], *memory[:-1]]
        self.memory = nn.ModuleList(
            ConvLSTMCell(before, after) for before, after in zip(inputs, memory, strict=True)
        )
        last = nn.ConvTranspose2d(widths[0], channels, kernels_px[0], strides_px[0])
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(memory[-1], widths[0], kernels_px[1], strides_px[1]),
            *activation(widths[0], modern=modern),
            last,
        )
        start_at_zero(last)

    def forward(self, clip: Tensor) -> Tensor:
        """Answer for the frames of the clip, starting from an empty memory."""
        if clip.shape[2] <= self.ahead:
            raise ValueError(
                f"footage.window_frames must be > model.ahead ({self.ahead}), got {clip.shape[2]}"
            )
        return self.carry(clip, None)[0][:, :, self.ahead :]

    def target(self, clip: Tensor) -> Tensor:
        """Every frame, but not the first ``ahead`` ones."""
        return clip[:, :, self.ahead :]

    def carry(self, clip: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Answer for every frame of the clip, going on from ``state``.

        The state is the answers already made for frames to come (B, C, ahead, H, W), then hidden
        and cell of each layer. Without one, the first ``ahead`` answers are zero.
        """
        memory: State = ()
        if state is None:
            pending = clip.new_zeros(*clip.shape[:2], self.ahead, *clip.shape[3:])
        else:
            pending, memory = state[0], state[1:]
        height, width = clip.shape[-2:]
        codes = self._encode(clip.transpose(1, 2).flatten(0, 1))  # (B*T, C', h, w)
        codes = codes.reshape(len(clip), -1, *codes.shape[1:])  # (B, T, C', h, w)
        remembered = []
        for time in range(clip.shape[2]):
            hidden, memory = self._remember(codes[:, time], memory)
            remembered.append(hidden)
        answers = self.decoder(torch.stack(remembered, dim=1).flatten(0, 1))[..., :height, :width]
        answers = answers.reshape(len(clip), -1, *answers.shape[1:]).transpose(1, 2)
        if self.ahead:
            answers = torch.cat([pending, clip + answers], dim=2)
        now, later = answers.split([clip.shape[2], self.ahead], dim=2)
        return now, (later, *memory)

    def _encode(self, frames: Tensor) -> Tensor:
        height, width = frames.shape[-2:]
        codes: Tensor = self.encoder(pad_to(frames, (self._fitting(height), self._fitting(width))))
        return codes

    def _remember(self, code: Tensor, state: State) -> tuple[Tensor, State]:
        """One time step through all layers; ``state`` holds hidden and cell of each, or nothing."""
        after: list[Tensor] = []
        hidden = code
        for layer, cell in enumerate(self.memory):
            before = (state[2 * layer], state[2 * layer + 1]) if state else None
            hidden, memory = cell(hidden, before)
            after += [hidden, memory]
        return hidden, tuple(after)

    def _fitting(self, length_px: int) -> int:
        """Smallest length >= ``length_px`` that both strides pass without remainder."""
        (k1, k2), (s1, s2) = self.kernels_px, self.strides_px
        unit = s1 * s2
        shortest = ((k2 - 1) * s1) + k1  # one cell inside
        return shortest + max(0, -(-(int(length_px) - shortest) // unit)) * unit
