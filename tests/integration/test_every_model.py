"""Every advertised model, with its own settings: trained, saved, loaded, scored, and live alike."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from tests.live_frames import require_equal
from tests.small_footage import write_clips
from tests.watching.running import messages_in, require_whole, scores_in, settings
from tlae.budget import Budget
from tlae.cli import main
from tlae.config_scores import EventsConfig
from tlae.live.live import Live
from tlae.model_file import load_model
from tlae.scoring.results import Scores, read_results
from tlae.workflows.events import find_anew

CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "model"
PUBLISHED = ("cae_dense", "convlstm", "stae")  # sizes that take long, as does this one:
SLOW = (*PUBLISHED, "still_segmenter")
SERVED = ("convlstm_small", "copy_last", "joint", "patch_memory")  # one of each kind of scoring


def models(*, only_served: bool = False) -> pytest.MarkDecorator:
    """Run a test with each model; the slow tests run those that are left out of the quick ones."""
    names = sorted(file.stem for file in CONFIGS.glob("*.yaml"))
    slow = {name for name in names if name in SLOW or (only_served and name not in SERVED)}
    each = [pytest.param(name, marks=[pytest.mark.slow] if name in slow else []) for name in names]
    return pytest.mark.parametrize("trained", each, indirect=True, scope="module")


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Normal and new clips; small pictures, which the models stretch to their own size."""
    root = tmp_path_factory.mktemp("footage")
    write_clips(root / "normal", (60,))
    write_clips(root / "new", (12,), odd=((0, 10),))
    return root


@dataclass(frozen=True)
class Trained:
    """A model, and what `tlae score` says of new footage, frame by frame.

    Attributes:
        name: of the model.
        home: folder of everything.
        footage: that was scored.
        interval_s: between its frames [s].
        budget: by which about half of the frames are in alarm.
    """

    name: str
    home: Path
    footage: Path
    interval_s: float
    budget: Budget

    @property
    def path(self) -> Path:
        return self.home / "checkpoints/run/model.safetensors"

    @property
    def scores(self) -> Path:
        return self.home / "scores/s"

    def offline(self) -> Scores:
        """Scores and events by the budget."""
        return find_anew(EventsConfig(scores=str(self.scores), scoring=self.budget)).scores


@pytest.fixture(scope="module")
def trained(
    request: pytest.FixtureRequest, footage: Path, tmp_path_factory: pytest.TempPathFactory
) -> Trained:
    home = tmp_path_factory.mktemp(request.param)
    places = [f"paths.{name}={home / name}" for name in ("checkpoints", "scores")]
    places.append(f"paths.cache={footage / 'cache'}")
    fast = ["trainer.max_steps=1", "training.windows_per_epoch=2", "training.batch_size=2"]
    fast += ["training.compute=float32", "trainer.accelerator=cpu", "training.pictures=0"]
    words = ["train", f"footage={footage / 'normal'}", f"model={request.param}", "name=run"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tlae.workflows.train.CONSTANT_WINDOWS", 4)
        patch.setattr("tlae.models.patch_memory.MOST_ROUNDS", 1)
        patch.setattr("tlae.patches.judge.EPOCHS", 1)
        assert main([*words, *fast, *places]) == 0
    path, new = home / "checkpoints/run/model.safetensors", footage / "new"
    words = ["score", f"model_file={path}", f"footage={new}", "name=s", "device=cpu", *places]
    assert main(words) == 0
    table = read_results(home / "scores/s").table
    assert len(table) == 12
    assert table["raw"].notna().any()
    assert main([*words, "scoring.causal=true", "batch_frames=1", "overwrite=true"]) == 0
    interval_s = float(table["time_s"].diff().median())
    budget = Budget(threshold=float(table["raw"].median()))
    return Trained(request.param, home, new, interval_s, budget)


@models()
def test_a_model_is_stored_with_its_weights(trained: Trained) -> None:
    loaded = load_model(trained.path)
    with safe_open(trained.path, "pt") as file:
        for name, value in loaded.detector.net.net.state_dict().items():
            assert np.array_equal(file.get_tensor(f"net.{name}"), value)


@models()
def test_live_says_what_score_says(trained: Trained) -> None:
    live = Live(load_model(trained.path), trained.budget, device="cpu")
    require_equal(live, trained.footage, trained.scores, trained.budget)


@models(only_served=True)
def test_watch_says_what_score_says(trained: Trained, tmp_path: Path) -> None:
    out, level = tmp_path / "out", trained.budget.threshold
    words = [f"scoring.threshold={level!r}", f"camera.interval_s={trained.interval_s}"]
    words += ["camera.time_source=interval", "camera.stop_idle_s=1.5"]
    assert main(["watch", *settings(trained.path, trained.footage, out, *words)]) == 0
    offline = trained.offline()
    raw = [np.nan if row[1] is None else float(row[1]) for row in scores_in(out)]
    np.testing.assert_allclose(raw, offline.table["raw"], atol=1e-5)
    assert [bool(row[2]) for row in scores_in(out)] == offline.table["alarm"].tolist()
    messages = messages_in(out)
    require_whole(messages, ended=False)
    told = {message["event"]["id"]: message["event"] for message in messages}  # the last of each
    same = ("kind", "first_frame", "start_s", "health")  # the last one goes on: nothing ends it
    mine = sorted(tuple(event[name] for name in same) for event in told.values())
    assert mine == sorted(tuple(getattr(one, name) for name in same) for one in offline.events)


@models(only_served=True)
def test_a_session_over_http_says_what_score_says(trained: Trained, tmp_path: Path) -> None:
    pytest.importorskip("fastapi", reason="needs the extra serve")
    pytest.importorskip("httpx2", reason="the test client talks through it")
    from fastapi.testclient import TestClient

    from tests.serving.in_process import service_of, session_of

    offline, level = trained.offline(), trained.budget.threshold
    with service_of(trained.home / "checkpoints", tmp_path / "jobs") as app:
        client = TestClient(app, base_url="http://127.0.0.1:8000")
        session = session_of(client, "run", interval_s=trained.interval_s, threshold=level)
        place = f"/api/sessions/{session}"
        seen = []
        for number, path in enumerate(sorted(trained.footage.rglob("*.png"))):
            asked = {"time_s": round(number * trained.interval_s, 6)}
            answer = client.post(f"{place}/frames", content=path.read_bytes(), params=asked)
            assert answer.status_code == 200, answer.text
            seen.append(answer.json())
        closed = client.delete(place).json()["ended"]
    raw = [np.nan if one["raw"] is None else one["raw"] for one in seen]
    np.testing.assert_allclose(raw, offline.table["raw"], atol=1e-5)
    assert [one["alarm"] for one in seen] == offline.table["alarm"].tolist()
    events = [event for one in seen for event in one["ended"]] + closed
    same = ("kind", "first_frame", "last_frame", "peak_frame", "start_s", "end_s", "health")
    mine = sorted(tuple(event[name] for name in same) for event in events)
    assert mine == sorted(tuple(getattr(one, name) for name in same) for one in offline.events)
