"""Frames in, smoothed error maps out: the same code offline and live, whatever the batch.

Rules for places where the net lacks neighbours: the first frame of a run is repeated before it, and
for centred scoring the last one after it. Centred scoring with a net that answers for one frame
runs the window backwards in time over the first frames of a run, which have no past. A net that
segments does not answer for repeated frames: centred scoring relies on its windows inside the
run, causal scoring gives no score until the first window is full. Every frame gets exactly one map.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tlae.camera.calm import CalmWindows
from tlae.footage.frames import Image
from tlae.models.calm import taken_over
from tlae.models.contract import State
from tlae.scoring.detector import Detector
from tlae.scoring.error_map import background_weight, error_map, map_as_error, match_light
from tlae.scoring.reading import reading_of
from tlae.scoring.reduce import reduce_map
from tlae.scoring.rule import ScoringRule
from tlae.scoring.scored_frames import Scored
from tlae.scoring.smooth import smooth_map

BEYOND = 1e-3  # weight of a segmenting net's answers for windows that reach beyond the run
# Of a memory, where they are not None:
TENSORS = ("past", "pending", "maps", "answers", "evidence", "answered", "skipped")


@dataclass
class _Memory:
    """State that earlier frames of a run leave behind: everything that a resumed job needs."""

    past: Tensor | None = None  # (n, C, H, W), the last frames, as many as a window looks back
    states: list[State | None] = field(default_factory=list)  # of a streaming net, one per phase
    seen: int = 0  # frames of this run pushed so far
    # (window_delay, 2 + C, H, W), sums of errors, answers and weights that are not yet complete:
    pending: Tensor | None = None
    maps: Tensor | None = None  # (n, H, W), the last ones, as many as the kernel looks back
    answers: Tensor | None = None  # (n, C, H, W), of maps for which the kernel still waits
    evidence: Tensor | None = None  # (n, E, h, w), of frames without a result yet
    given: int = 0  # results of this run so far
    answered: Tensor | None = None  # (1, 2, K, C, H, W), answer and target of the last window
    skipped: Tensor | None = None  # (n,) bool, of windows and frames whose results are not given


class FrameScorer:
    """Score a run of frames piece by piece.

    Args:
        detector: trained net with its preprocessing and window.
        rule: how errors become scores.
        device: where the net runs.
        precision: "float32" or "bfloat16" (autocast).
        keep_rebuilt: whether what the net expected is asked for.
        compiled: whether the net is compiled at its first batch, which takes seconds and pays on a
            GPU.
        skip_calm: whether the net is spared where nothing happens: a net that sees windows by
            ``camera.calm`` on a processor, one that measures as it says itself, others never.
    """

    framework: ClassVar[str] = "pt"  # of the tensors of ``state``

    def __init__(
        self,
        detector: Detector,
        rule: ScoringRule,
        device: torch.device,
        precision: str = "float32",
        *,
        keep_rebuilt: bool = False,
        compiled: bool = False,
        skip_calm: bool = False,
    ) -> None:
        self.rule, self.device, self.precision = rule, device, precision
        self.window, self.stride = detector.window_frames, detector.stride
        self.net = detector.net.to(device).to(memory_format=torch.channels_last).eval()
        self.reading = reading_of(detector, rule)
        self.watched = None if detector.watched is None else detector.watched.to(device)
        self.weight = None
        if rule.background:
            self.weight = background_weight(detector.typical_error.to(device))
        if compiled and not (self.net.streams or self.net.measures):
            self.net.compile()
        self.keep_rebuilt = keep_rebuilt and not self.net.answers_maps
        self.streams = self.net.streams
        centred = not rule.causal and not self.streams
        self.answers = self.reading.answers
        self.context = (self.window - 1) * self.stride
        self.turns = centred and self.answers == 1 and self.context > 0
        self.window_delay = self.context if self.turns else (self.answers - 1) * self.stride
        self.kernel_delay = self.reading.kernel_frames // 2
        self.delay = self.window_delay + self.kernel_delay
        self.skip_calm = skip_calm and (device.type == "cpu" or self.net.measures)
        self.reach = 2 * self.context if self.turns else self.context  # into the past
        self.calm = CalmWindows(self.reach)
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next frame begins a run."""
        self.memory = _Memory()
        self.calm.reset()

    def push(self, frames: Image) -> Scored:
        """Take further frames of the run.

        Args:
            frames: (n, H, W, C) uint8, preprocessed.

        Returns:
            Results of the frames that are complete: these n when causal, else up to ``delay``
            frames behind.
        """
        with torch.inference_mode():
            batch = torch.from_numpy(frames).to(self.device).permute(0, 3, 1, 2)
            if not self.net.measures:  # which takes bytes
                batch = batch.float() / 255
            return self._finished(*self._complete(*self.errors(batch, self._calm_windows(frames))))

    def finish(self) -> Scored:
        """Results still owed at the end of a run; then forget it."""
        memory = self.memory
        with torch.inference_mode():
            if not self.window_delay or memory.past is None:
                empty = torch.zeros(0, *self.net.mean_frame.shape, device=self.device)
                owed = empty[:, 0], empty if self.keep_rebuilt else empty[:, :0]
            else:
                last = memory.past[-1:].expand(self.window_delay, -1, -1, -1)
                owed = self._complete(*self.errors(last), last=True)
            scored = self._finished(*owed, last=True)
        self.reset()
        return scored

    def state(self) -> dict[str, Tensor]:
        """The past as plain tensors, for resuming a job."""
        memory = self.memory
        tensors = {"seen": torch.tensor(memory.seen), "given": torch.tensor(memory.given)}
        for name in TENSORS:
            tensor = getattr(memory, name)
            if tensor is not None:
                tensors[name] = tensor
        for phase, state in enumerate(memory.states):
            for part, tensor in enumerate(state or ()):
                tensors[f"state.{phase}.{part}"] = tensor
        tensors |= {name: torch.from_numpy(part) for name, part in self.calm.state().items()}
        return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on from what ``state`` returned."""
        moved = {name: tensor.to(self.device) for name, tensor in tensors.items()}
        states: list[State | None] = []
        for phase in range(self.stride):
            parts = sum(name.startswith(f"state.{phase}.") for name in moved)
            states.append(tuple(moved[f"state.{phase}.{part}"] for part in range(parts)) or None)
        kept = {name: moved.get(name) for name in TENSORS}
        if not self.keep_rebuilt:  # states of older versions hold pictures all the same
            kept |= _without_pictures(kept["pending"], kept["answers"])
        self.calm.restore({} if kept["answered"] is None else tensors)
        given = int(moved.get("given", moved["seen"]))  # states of older versions lack it
        if kept["skipped"] is None:  # and this
            kept["skipped"] = torch.zeros(max(0, int(moved["seen"]) - given), dtype=torch.bool)
        self.memory = _Memory(states=states, seen=int(moved["seen"]), given=given, **kept)

    def errors(self, batch: Tensor, calm: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Error maps (n, K, H, W) and answers (n, K, C, H, W) of windows ending at each frame.

        Args:
            batch: (n, C, H, W) in [0, 1]; of a net that measures uint8 as well.
            calm: (n,) bool, windows that take over the answer of the one before; None: none.
        """
        if self.net.measures:
            return self._measured(batch)
        calm = torch.zeros(len(batch), dtype=torch.bool) if calm is None else calm
        bfloat16 = self.precision == "bfloat16"
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=bfloat16):
            answers, targets = self._carry(batch) if self.streams else self._windows(batch, calm)
        self._note_skipped(calm)
        answers = answers.float()
        if self.reading.match_light:
            answers = match_light(answers, targets)
        errors = error_map(answers, targets, self.rule.error, self.rule.unit)
        return errors, answers if self.keep_rebuilt else answers[:, :, :0]

    def _calm_windows(self, frames: Image) -> Tensor | None:
        """Which windows need no look, (n,); see ``camera.calm``."""
        if not self.skip_calm or self.streams:
            return None
        return torch.tensor([self.calm.push(frame) for frame in frames], dtype=torch.bool)

    def _note_skipped(self, skipped: Tensor) -> None:
        """The results that rest on these windows or frames are yet to be given."""
        waiting = [] if self.memory.skipped is None else [self.memory.skipped]
        self.memory.skipped = torch.cat([*waiting, skipped.cpu()])

    def _measured(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """A net that measures answers with the map."""
        memory = self.memory
        state = memory.states[0] if memory.states else None
        measured, state = self.net.measure(batch, state, skip_calm=self.skip_calm)
        memory.states = [state]
        memory.seen += len(batch)
        self._note_skipped(measured.skipped)
        waiting = [] if memory.evidence is None else [memory.evidence]
        memory.evidence = torch.cat([*waiting, measured.evidence])
        maps = measured.maps[:, None]
        errors = map_as_error(maps, self.rule.error, self.rule.unit)
        return errors, maps[:, :, None][:, :, :0]

    def _windows(self, batch: Tensor, calm: Tensor) -> tuple[Tensor, Tensor]:
        """One window for each frame, ending there; calm ones take over the answer before."""
        back, past = self.reach, self.memory.past
        if past is None:
            past = batch[:1].expand(back, -1, -1, -1)
        line = torch.cat([past, batch])
        self.memory.past = line[len(line) - max(back, 1) :].clone()  # 1: to repeat at the end
        frames = torch.arange(len(past), len(line), device=self.device)[:, None]  # places in line
        steps = torch.arange(self.window - 1, -1, -1, device=self.device) * self.stride
        rows = frames - steps
        if self.turns:  # answers lag by the context; those of a run's first frames look ahead
            frames = frames - self.context
            is_first = (
                torch.arange(len(batch), device=self.device) + self.memory.seen
                < self.window_delay * 2
            )
            rows = torch.where(is_first[:, None], frames + steps, frames - steps)

        def answer(seen: Tensor) -> Tensor:  # (m, 2, K, C, H, W), of the net and what it aims at
            clips = line[rows[seen]].transpose(1, 2)  # (m, C, T, H, W)
            both = torch.stack([self.net(clips), self.net.target(clips)], dim=1)
            return both[:, :, :, both.shape[3] - self.answers :].transpose(2, 3)

        both = taken_over(answer, calm, self.memory.answered)
        self.memory.answered = both[-1:].clone() if self.skip_calm else None
        return both[:, 0], both[:, 1]

    def _carry(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """A streaming net goes on from its state; one state for each phase of the stride."""
        memory = self.memory
        memory.states = memory.states or [None] * self.stride
        answers = torch.empty_like(batch)
        for offset in range(min(self.stride, len(batch))):
            phase = (memory.seen + offset) % self.stride
            piece = batch[offset :: self.stride].transpose(0, 1)[None]  # (1, C, n, H, W)
            state = memory.states[phase]
            if state is None:  # the first frame, repeated, fills the memory
                warm_up = piece[:, :, :1].expand(-1, -1, max(self.window - 1, 1), -1, -1)
                _, state = self.net.carry(warm_up, None)
            answer, memory.states[phase] = self.net.carry(piece, state)
            answers[offset :: self.stride] = answer[0].transpose(0, 1).to(answers)
        memory.seen += len(batch)
        return answers[:, None], batch[:, None]

    def _complete(
        self, maps: Tensor, answers: Tensor, *, last: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Average the answers that a frame gets from several windows; hold back incomplete ones."""
        memory = self.memory
        first = memory.seen
        number = torch.arange(first, first + len(maps), device=maps.device)
        memory.seen += 0 if self.streams else len(maps)
        is_blind = self.net.segments and not self.streams
        beyond = is_blind & ((number < self.context) | last)  # windows that leave the run
        if self.answers == 1:
            before_run = min(max(0, self.window_delay - first), len(maps))
            if is_blind:
                maps = maps.masked_fill(beyond[:, None, None, None], 0)
            return maps[before_run:, 0], answers[before_run:, 0]
        weight = torch.where(beyond, BEYOND, 1.0)[:, None, None, None, None]
        parts = [maps[:, :, None], answers, torch.ones_like(maps)[:, :, None]]
        fresh = torch.cat(parts, dim=2) * weight  # (n, K, 2 + C, H, W)
        sums = fresh.new_zeros(self.window_delay + len(fresh), *fresh.shape[2:])
        if memory.pending is not None:
            sums[: self.window_delay] = memory.pending
        for place in range(self.answers):
            start = place * self.stride
            sums[start : start + len(fresh)] += fresh[:, place]
        memory.pending = sums[len(fresh) :].clone()
        before_run = max(0, self.window_delay - first)  # sums of what is repeated there
        done = sums[min(before_run, len(fresh)) : len(fresh)]
        done = done[:, :-1] / done[:, -1:]
        return done[:, 0], done[:, 1:]

    def _averaged(self, maps: Tensor, answers: Tensor, *, last: bool) -> tuple[Tensor, Tensor]:
        """Average each map with those next to it in time, for which answers wait.

        The first map of a run is repeated before it, the ``last`` one after it.
        """
        frames, memory = self.reading.kernel_frames, self.memory
        if frames == 1 or (memory.maps is None and not len(maps)):
            return maps, answers
        if memory.maps is None or memory.answers is None:
            memory.maps = maps[:1].expand(frames - 1 - self.kernel_delay, -1, -1)
            memory.answers = answers[:0]
        line, waiting = torch.cat([memory.maps, maps]), torch.cat([memory.answers, answers])
        if last:
            line = torch.cat([line, line[-1:].expand(self.kernel_delay, -1, -1)])
        ready = max(0, len(line) - frames + 1)
        means = line.unfold(0, frames, 1).mean(dim=-1) if ready else maps[:0]
        memory.maps, memory.answers = line[1 - frames :].clone(), waiting[ready:].clone()
        return means, waiting[:ready]

    def _finished(self, maps: Tensor, answers: Tensor, *, last: bool = False) -> Scored:
        if self.weight is not None:
            maps = maps * self.weight
        smoothed = smooth_map(maps, self.rule.kernel, self.reading.kernel_px, self.watched)
        smoothed, answers = self._averaged(smoothed, answers, last=last)
        if len(smoothed):
            values, peak = reduce_map(smoothed, self.rule.reduction, self.watched)
        else:
            values, peak = smoothed.new_zeros(0), torch.zeros(0, 2, dtype=torch.int64)
        pictures = (answers.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
        blank = self._without_verdict(len(values), last=last)
        reasons, examples = self._reasons(values, peak, smoothed.shape[1:])
        skipped = self._skipped(len(values))
        self.memory.given += len(values)
        fetched = _fetched(smoothed), _fetched(pictures)  # there when what follows is
        return Scored(
            fetched[0],
            np.where(blank, np.nan, values.double().cpu().numpy()),
            np.where(blank[:, None], -1, peak.cpu().numpy()),
            fetched[1],
            np.where(blank, "", reasons),
            np.where(blank, -1, examples),
            skipped,
        )

    def _skipped(self, count: int) -> npt.NDArray[np.bool_]:
        """Whether the next so many results rest on what was skipped, (n,)."""
        waiting = self.memory.skipped
        if waiting is None:
            return np.zeros(count, bool)
        self.memory.skipped = waiting[count:].clone()
        # flags are of windows, of which one that lags so far behind completed a result:
        return waiting[self.window_delay : self.window_delay + count].numpy()

    def _reasons(
        self, values: Tensor, peak: Tensor, size: torch.Size
    ) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]:
        """Why the worst places (n, 2) are unusual, and what normal things are most alike.

        Where the score (n,) is 0, nothing is.
        """
        reasons, examples = np.full(len(peak), "", dtype=object), np.full(len(peak), -1)
        memory = self.memory
        if memory.evidence is not None:
            places = (peak.cpu().double() + 0.5) / torch.tensor([size[-2], size[-1]])
            for number in (values > 0).nonzero()[:, 0].tolist():
                row, column = places[number].tolist()
                found = self.net.reason(memory.evidence[number], (row, column))
                reasons[number], examples[number] = found
            memory.evidence = memory.evidence[len(peak) :].clone()
        return reasons, examples

    def _without_verdict(self, count: int, *, last: bool) -> npt.NDArray[np.bool_]:
        """Which of the next so many results (n,) rest on windows that all leave the run."""
        seen = self.memory.seen
        if self.net.measures:
            return np.arange(self.memory.given, self.memory.given + count) < self.net.blind_frames
        if not self.net.segments:
            return np.zeros(count, bool)
        if self.answers == 1:  # causal, so nothing lags behind
            return np.arange(seen - count, seen) < self.context
        return np.full(count, last and seen - self.window_delay <= self.context)


def _fetched(tensor: Tensor) -> npt.NDArray[Any]:
    """In the host's memory; of a GPU through page-locked memory, and not before its next answer.

    A copy to memory of another kind is five times slower and was half of the time of scoring.
    """
    return tensor.to("cpu", non_blocking=tensor.is_cuda).numpy()


def _without_pictures(pending: Tensor | None, answers: Tensor | None) -> dict[str, Tensor | None]:
    """The parts of a memory that hold what the net expected, without it."""
    return {
        "pending": None if pending is None else pending[:, [0, -1]],
        "answers": None if answers is None else answers[:, :0],
    }
