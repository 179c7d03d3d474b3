"""Shares of the jobs for machines that do not know of each other."""

import hashlib
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Shard:
    """One share of the jobs.

    Attributes:
        number: of the share, from 1 on.
        shares: how many there are.
    """

    number: int
    shares: int

    def takes(self, job: str) -> bool:
        """Whether a job is in this share; depends on its name alone, so further jobs move none."""
        digest = hashlib.sha256(job.encode()).digest()
        return int.from_bytes(digest[:8]) % self.shares == self.number - 1


def parse_shard(text: str | None) -> Shard | None:
    """The share that a setting names, such as "2/4".

    Raises:
        ValueError: it names none.
    """
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise ValueError(
            f"shard must be I/N with 1 <= I <= N, such as 2/4 for the second of four, got {text!r}"
        )
    return Shard(int(found[1]), int(found[2]))
