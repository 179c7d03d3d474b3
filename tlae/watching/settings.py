"""Settings of `tlae watch`; see ``tlae.config``."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from tlae.budget import Budget
from tlae.footage.hours import parse_hours
from tlae.scoring.event_options import EventRule
from tlae.setting_rules import one_of, require_device, within

LONGEST_S = 86_400.0
KEEP_EVENTS, DROP_OLDEST, STOP = "keep_events", "drop_oldest", "stop"  # on a full disk


@dataclass
class CameraConfig:
    """Where frames come from, and how they are waited for.

    Attributes:
        path: rtsp://, http(s)://, udp://, number of a USB camera, folder that fills, video file;
            `camera=PATH` is short.
        interval_s: time between the frames that are scored; null: as the model learnt. In a folder:
            between pictures without a time; null: as their files were written.
        open_timeout_s: a camera must answer within this time.
        read_timeout_s: a packet or picture must come within this time.
        stalled_s: a stream without a whole frame for so long is opened again.
        retry_s: longest pause between two tries; the first ones are shorter.
        time_source: of files: auto, exif, filename, interval; of a folder also arrival.
        time_pattern: strptime pattern of the time in names or paths; null: common.
        time_zone: of the camera's clock, e.g. Europe/Zurich; null: this machine's.
        poll_s: of a folder: time between two looks.
        rest_s: of a folder: a file is whole when size and time rest for so long and it decodes.
        backlog: of a folder: score what lies there already.
        fast: of a video file: as fast as possible, not at its own pace.
        stop_idle_s: end when no frame has come for so long; null: never.
    """

    path: str = MISSING
    interval_s: float | None = None
    open_timeout_s: float = 10.0
    read_timeout_s: float = 10.0
    stalled_s: float = 20.0
    retry_s: float = 60.0
    time_source: str = "auto"
    time_pattern: str | None = None
    time_zone: str | None = None
    poll_s: float = 1.0
    rest_s: float = 2.0
    backlog: bool = True
    fast: bool = False
    stop_idle_s: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no camera can be."""
        for name in ("interval_s", "stalled_s", "retry_s", "poll_s", "stop_idle_s"):
            within(f"camera.{name}", getattr(self, name), 0, LONGEST_S, open_low=True)
        for name in ("open_timeout_s", "read_timeout_s"):
            within(f"camera.{name}", getattr(self, name), 0, 600, open_low=True)
        within("camera.rest_s", self.rest_s, 0, LONGEST_S)
        sources = ("auto", "exif", "filename", "interval", "arrival")
        one_of("camera.time_source", self.time_source, sources)


@dataclass
class WebhookConfig:
    """A receiver of messages over HTTP.

    Attributes:
        url: messages are posted there as JSON; null: nowhere.
        secret_file: file with the secret by which messages are signed; null: unsigned.
        timeout_s: it must answer within this time.
    """

    url: str | None = None
    secret_file: str | None = None
    timeout_s: float = 10.0

    def __post_init__(self) -> None:
        """Refuse what cannot be posted to."""
        within("webhook.timeout_s", self.timeout_s, 0, 600, open_low=True)
        if self.url is not None and not self.url.startswith(("http://", "https://")):
            raise ValueError(f"webhook.url must begin with http:// or https://, got {self.url!r}")
        if self.secret_file is not None and self.url is None:
            raise ValueError("webhook.secret_file needs webhook.url, got none; give it")


@dataclass
class CommandConfig:
    """A program that is run for each message.

    Attributes:
        run: program and its arguments, [a,b]; the message is on its standard input.
        timeout_s: it is ended after this time.
    """

    run: list[str] = field(default_factory=list)
    timeout_s: float = 30.0

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        within("command.timeout_s", self.timeout_s, 0, 3600, open_low=True)


@dataclass
class MqttConfig:
    """A broker of messages.

    Attributes:
        host: name or address of the broker; null: none.
        port: of it.
        user: name to log in with; null: none.
        password_file: file with the password; null: none.
        tls: encrypt the connection.
        topic: messages are published below it.
        discovery: topic below which Home Assistant looks for devices.
    """

    host: str | None = None
    port: int = 1883
    user: str | None = None
    password_file: str | None = None
    tls: bool = False
    topic: str = "tlae"
    discovery: str = "homeassistant"

    def __post_init__(self) -> None:
        """Refuse what no broker takes."""
        within("mqtt.port", self.port, 1, 65_535)
        for name in ("topic", "discovery"):
            if any(sign in getattr(self, name) for sign in "#+"):
                raise ValueError(f"mqtt.{name} must not hold # or +, got {getattr(self, name)!r}")


@dataclass
class ClipConfig:
    """Videos of events, as the camera encoded them.

    Attributes:
        record: write clips/; for streams alone.
        before_s: of it before the event.
        after_s: of it after the event.
        late_s: longest time after its begin at which an event is known; kept in memory as well.
        longest_s: of a clip; the event may go on.
    """

    record: bool = False
    before_s: float = 5.0
    after_s: float = 5.0
    late_s: float = 5.0
    longest_s: float = 300.0

    def __post_init__(self) -> None:
        """Refuse what no memory holds."""
        for name in ("before_s", "after_s", "late_s"):
            within(f"clip.{name}", getattr(self, name), 0, 600)
        within("clip.longest_s", self.longest_s, 1, LONGEST_S)


@dataclass
class KeepConfig:
    """What is kept, and for how long.

    Attributes:
        days: snapshots, clips and sent messages are kept so long.
        scores_days: scores of frames are kept so long.
        snapshots_mb: the oldest snapshots go beyond this size of all [MB].
        clips_mb: the oldest clips go beyond this size of all [MB].
        free_mb: a disk with less free space is full [MB].
        disk_full: keep_events deletes nothing and records no clips until there is room;
            drop_oldest deletes the oldest clips, then snapshots; stop ends the watch.
    """

    days: float = 30.0
    scores_days: float = 3.0
    snapshots_mb: float = 1000.0
    clips_mb: float = 10_000.0
    free_mb: float = 200.0
    disk_full: str = KEEP_EVENTS

    def __post_init__(self) -> None:
        """Refuse what keeps nothing."""
        for name in ("days", "scores_days"):
            within(f"keep.{name}", getattr(self, name), 0, 36_500, open_low=True)
        for name in ("snapshots_mb", "clips_mb"):
            within(f"keep.{name}", getattr(self, name), 0, open_low=True)
        within("keep.free_mb", self.free_mb, 0)
        one_of("keep.disk_full", self.disk_full, (KEEP_EVENTS, DROP_OLDEST, STOP))


@dataclass
class WatchConfig:
    """`tlae watch`.

    Attributes:
        model_file: written by `tlae train`.
        camera: where frames come from.
        out: folder for events, snapshots and state; continued where it was begun.
        name: of the camera in messages; null: name of the folder.
        scoring: what makes an alarm; nothing given: as the model was trained.
        events: when alarms are one event.
        answers: hide things that you called normal (`tlae events normal=...`); false: none.
        update_s: time between two messages about an event that goes on; null: none.
        quiet_hours: no receiver is notified of events that begin then, 22-6 or 12-13,22-6; they are
            written down all the same; null: none.
        webhook: a receiver of messages over HTTP.
        command: a program that is run for each message.
        mqtt: a broker of messages.
        dry_run: messages are written and logged, but not sent.
        clip: videos of events.
        keep: what is kept, and for how long.
        log: plain lines, or json.
        device: auto, cpu, cuda, cuda:1, mps.
        threads: of the processor, for the net; more suit a large net on a machine of its own.
        skip_calm: spare the net on a CPU where nothing happens; false: never.
    """

    model_file: str = MISSING
    camera: CameraConfig = field(default_factory=CameraConfig)
    out: str = MISSING
    name: str | None = None
    scoring: Budget = field(default_factory=Budget)
    events: EventRule = field(default_factory=EventRule)
    answers: bool = True
    update_s: float | None = 30.0
    quiet_hours: str | None = None
    webhook: WebhookConfig = field(default_factory=WebhookConfig)
    command: CommandConfig = field(default_factory=CommandConfig)
    mqtt: MqttConfig = field(default_factory=MqttConfig)
    dry_run: bool = False
    clip: ClipConfig = field(default_factory=ClipConfig)
    keep: KeepConfig = field(default_factory=KeepConfig)
    log: str = "plain"
    device: str = "auto"
    threads: int = 1
    skip_calm: bool = True

    def __post_init__(self) -> None:
        """Refuse what nobody can watch."""
        parse_hours(self.quiet_hours, "quiet_hours")
        within("update_s", self.update_s, 0, LONGEST_S, open_low=True)
        one_of("log", self.log, ("plain", "json"))
        require_device(self.device)
        within("threads", self.threads, 1, 1024)
        self.scoring.require_consistent()
