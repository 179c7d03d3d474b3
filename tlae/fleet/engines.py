"""Where jobs run: each in a process of its own, on this machine or on a Ray cluster.

An engine only carries a job to a process and says how that ended; what is tried again, and how
often, is decided in ``running.py``. Ray runs plain tasks: a job takes minutes and returns a few
numbers, so there is no data for Ray Data to move, and a task that dies is one answer of one job,
where a dataset would try its actor again without end.
"""

import logging
import multiprocessing
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from tlae.errors import UserError
from tlae.fleet.job import Job, Outcome
from tlae.number_words import how_many

Work = Callable[[Job], Outcome]
MOST_PENDING = 512  # tasks that Ray holds at a time; enough for it to ask for further machines
AUTO = "auto"  # the cluster that this machine belongs to
ANSWER_S = 10.0  # within which a cluster must take a connection; Ray itself tries for minutes


class Engine(Protocol):
    """Carries jobs to processes."""

    def has_room(self) -> bool:
        """Whether a further job may be given."""
        ...

    def give(self, job: Job) -> None:
        """Begin a job."""
        ...

    def is_busy(self) -> bool:
        """Whether jobs are begun that have not ended."""
        ...

    def take(self) -> tuple[Job, Outcome | str]:
        """Wait for a job to end; returns its outcome, or how its process died."""
        ...

    def close(self) -> None:
        """End all processes."""
        ...


class Processes:
    """Processes of this machine, each of which does one job after the other until it dies.

    Args:
        workers: processes at a time.
        work: what they do; importable by its name.
    """

    def __init__(self, workers: int, work: Work) -> None:
        self._workers, self._work = workers, work
        self._busy: dict[Connection, tuple[Job, Any]] = {}
        self._idle: dict[Connection, Any] = {}

    def has_room(self) -> bool:
        """Whether a process is free, or may be started."""
        return len(self._busy) < self._workers

    def give(self, job: Job) -> None:
        """Send a job to a free process."""
        line, process = self._idle.popitem() if self._idle else self._start()
        with suppress(OSError):  # it died while it was idle: seen when its answer is waited for
            line.send(job)
        self._busy[line] = job, process

    def is_busy(self) -> bool:
        """Whether a process is at work."""
        return bool(self._busy)

    def take(self) -> tuple[Job, Outcome | str]:
        """Wait for the next answer, or the next end of a process."""
        line = next(iter(wait(list(self._busy))))
        assert isinstance(line, Connection)
        job, process = self._busy.pop(line)
        try:
            outcome: Outcome = line.recv()
        except (EOFError, OSError):
            process.join()
            return job, _ended(process.exitcode)
        self._idle[line] = process
        return job, outcome

    def close(self) -> None:
        """End the processes; what they are at goes on where it ended the next time."""
        for _, process in self._busy.values():
            process.kill()
        for line in (*self._idle, *self._busy):
            line.close()  # who is idle ends by itself
        for process in [*self._idle.values(), *(process for _, process in self._busy.values())]:
            process.join()

    def _start(self) -> tuple[Connection, Any]:
        context = multiprocessing.get_context("spawn")  # threads of torch do not survive a fork
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._work), daemon=True)
        process.start()
        theirs.close()  # so that its end is seen here
        return ours, process


def _serve(line: Connection, work: Work) -> None:
    """Do the jobs that come, until the other side is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the process that waits
    with suppress(EOFError, OSError):
        while True:
            line.send(work(line.recv()))


def _ended(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return signal.Signals(-exit_code).name
    return f"exit status {exit_code}"


def _require_open(address: str | None) -> None:
    """Refuse an address at which nobody takes a connection.

    Raises:
        OSError: nobody does.
        ValueError: it is none.
    """
    if address is None or address == AUTO:
        return
    host, _, port = address.rpartition("//")[2].rpartition(":")
    if not (host and port.isdecimal()):
        raise ValueError("it is neither HOST:PORT nor auto")
    socket.create_connection((host, int(port)), ANSWER_S).close()


class RayTasks:
    """Tasks of a Ray cluster, which all see the same files under the same names.

    Args:
        address: of the cluster; None: one on this machine, for as long as this lasts.
        workers: cores of that one.
        cpus: that a job takes.
        gpus: that a job takes.
        work: what a task does.

    Raises:
        UserError: the cluster does not answer, or has no room for a job.
        ModuleNotFoundError: Ray is not installed.
    """

    def __init__(
        self, address: str | None, workers: int, cpus: int, gpus: float, work: Work
    ) -> None:
        import ray  # an extra

        self._ray: Any = ray
        self._pending: dict[Any, Job] = {}
        cores = None if address is not None else workers * cpus
        try:
            _require_open(address)
            ray.init(
                address="local" if address is None else address,
                num_cpus=cores,
                include_dashboard=None if address is not None else False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise UserError(
                f"address must lead to a Ray cluster, got {address or 'none'}: "
                f"{str(error).strip().splitlines()[0]}; start one with: ray start --head"
            ) from error
        self._require_room(cpus, gpus)
        self._task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0)(work)

    def has_room(self) -> bool:
        """Whether Ray should be given more."""
        return len(self._pending) < MOST_PENDING

    def give(self, job: Job) -> None:
        """Submit a task."""
        self._pending[self._task.remote(job)] = job

    def is_busy(self) -> bool:
        """Whether tasks are submitted that have not ended."""
        return bool(self._pending)

    def take(self) -> tuple[Job, Outcome | str]:
        """Wait for the next task to end, well or not."""
        (ended,), _ = self._ray.wait(list(self._pending))
        job = self._pending.pop(ended)
        try:
            outcome: Outcome = self._ray.get(ended)
        except self._ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None)
            return job, type(error).__name__ if cause is None else repr(cause)
        return job, outcome

    def close(self) -> None:
        """Leave the cluster; tasks that run end with it."""
        self._ray.shutdown()

    def _require_room(self, cpus: int, gpus: float) -> None:
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        if any(node.get("CPU", 0) >= cpus and node.get("GPU", 0) >= gpus for node in nodes):
            return
        self.close()
        raise UserError(
            f"engine=ray needs a worker with {cpus} cores and {gpus:g} GPUs, got none among "
            f"{how_many(len(nodes), 'node')}; start workers with: ray start --address=HOST:PORT"
        )
