"""All jobs of a fleet through an engine: what dies is tried again a few times, the rest goes on."""

import logging
from collections import Counter, deque
from collections.abc import Iterator, Sequence

from tlae.fleet.engines import Engine
from tlae.fleet.job import Job, Outcome, given_up
from tlae.number_words import how_many

logger = logging.getLogger(__name__)


def run_jobs(jobs: Sequence[Job], engine: Engine, tries: int) -> Iterator[Outcome]:
    """Outcomes as they come.

    Args:
        jobs: to do.
        engine: closed at the end, however that comes.
        tries: of a job whose process dies; then it has failed.
    """
    waiting, deaths = deque(jobs), Counter[str]()
    try:
        while waiting or engine.is_busy():
            while waiting and engine.has_room():
                engine.give(waiting.popleft())
            job, answer = engine.take()
            if isinstance(answer, Outcome):
                yield answer
                continue
            deaths[job.name] += 1
            if deaths[job.name] >= tries:
                died = how_many(deaths[job.name], "time")
                yield given_up(job, f"its process died {died}, last by {answer}")
                continue
            again = f"try {deaths[job.name] + 1} of {tries}"
            logger.warning("%s: its process died (%s); %s", job.name, answer, again)
            waiting.append(job)
    finally:
        engine.close()
