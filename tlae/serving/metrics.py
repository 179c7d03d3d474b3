"""Counts for Prometheus: requests, frames, events, sessions, jobs, models."""

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from tlae.serving.session_list import Sessions
from tlae.serving.shelf import ModelShelf
from tlae.serving.video_jobs import VideoJobs

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # upper bounds
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The counts of one server.

    Args:
        shelf: models that are counted when they are asked for; so are the next two.
        sessions: of the server.
        jobs: of the server.
    """

    def __init__(self, shelf: ModelShelf, sessions: Sessions, jobs: VideoJobs) -> None:
        self._shelf, self._sessions, self._jobs = shelf, sessions, jobs
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "tlae_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "tlae_request_seconds",
            "Time from a request to its answer.",
            ("route",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self.frames = Counter(
            "tlae_frames", "Pictures of sessions and of single requests.", ("outcome",),
            registry=self._registry,
        )  # fmt: skip
        self.events = Counter("tlae_events", "Events of sessions over.", registry=self._registry)
        self._registry.register(self)

    def text(self) -> bytes:
        """All counts, as Prometheus reads them."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """What is counted when it is asked for; called by the library."""
        sessions, labels = self._sessions.all(), ("session", "name", "model")
        yield GaugeMetricFamily("tlae_sessions", "Sessions open.", value=len(sessions))
        age = GaugeMetricFamily(
            "tlae_last_frame_age_seconds", "Age of the last frame.", labels=labels
        )
        alarm = GaugeMetricFamily("tlae_alarm", "1 while a session is in alarm.", labels=labels)
        for session in sessions:
            if session.points:
                last, names = session.points[-1], (session.id, session.name, session.shelved.id)
                age.add_metric(names, max(0.0, time.time() - last.received_at))
                alarm.add_metric(names, float(last.alarm))
        yield age
        yield alarm
        jobs = GaugeMetricFamily("tlae_jobs", "Uploaded videos by state.", labels=("state",))
        states = [job.state for job in self._jobs.all()]
        for state in sorted(set(states)):
            jobs.add_metric((state,), states.count(state))
        yield jobs
        loaded = len(self._shelf.loaded())
        yield GaugeMetricFamily("tlae_models_loaded", "Models in memory.", value=loaded)
        swaps = self._shelf.swaps
        yield GaugeMetricFamily("tlae_model_swaps", "Models read anew.", value=swaps)
