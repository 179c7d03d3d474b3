"""Timing something several times over, and the time of the processor that it takes."""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pace:
    """How many things a second.

    Attributes:
        median: of all repeats.
        low, high: of the slowest repeat and of the fastest.
    """

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:,.0f} ({self.low:,.0f} to {self.high:,.0f})"


def pace_of(do: Callable[[], object], amount: int, repeats: int, *, warm_up: bool = True) -> Pace:
    """Time something.

    Args:
        do: what is timed.
        amount: things that it does.
        repeats: how often, >= 1.
        warm_up: do it once before.
    """
    if warm_up:
        do()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        do()
        seconds.append(time.perf_counter() - started)
    return Pace(amount / statistics.median(seconds), amount / max(seconds), amount / min(seconds))


def cpu_s(process: int) -> float:
    """Seconds of the processor that a process used so far."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
