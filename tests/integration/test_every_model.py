"""Every advertised model, with its own settings: trained, saved, loaded, scored."""

from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from tests.live_frames import require_equal
from tests.small_footage import write_clips
from tlae.budget import Budget
from tlae.cli import main
from tlae.live import Live
from tlae.model_file import load_model
from tlae.scoring.results import read_results

CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "model"
PUBLISHED = ("cae_dense", "convlstm", "stae")  # sizes that take long
MODELS = [
    pytest.param(name, marks=[pytest.mark.slow] if name in PUBLISHED else [])
    for name in sorted(file.stem for file in CONFIGS.glob("*.yaml"))
]


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Normal and new clips; small pictures, which the models stretch to their own size."""
    root = tmp_path_factory.mktemp("footage")
    write_clips(root / "normal", (60,))
    write_clips(root / "new", (12,), odd=((0, 10),))
    return root


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_trained_saved_loaded_and_scored(
    model: str, footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tlae.workflows.train.CONSTANT_WINDOWS", 4)
    places = [f"paths.{name}={tmp_path / name}" for name in ("checkpoints", "scores")]
    places.append(f"paths.cache={footage / 'cache'}")
    fast = ["trainer.max_steps=1", "training.windows_per_epoch=2", "training.batch_size=2"]
    fast += ["training.compute=float32", "trainer.accelerator=cpu", "training.pictures=0"]
    trained = ["train", f"footage={footage / 'normal'}", f"model={model}", "name=run"]
    assert main([*trained, *fast, *places]) == 0
    path = tmp_path / "checkpoints/run/model.safetensors"
    loaded = load_model(path)
    with safe_open(path, "pt") as file:
        for name, value in loaded.detector.net.net.state_dict().items():
            assert np.array_equal(file.get_tensor(f"net.{name}"), value)
    scored = ["score", f"model_file={path}", f"footage={footage / 'new'}", "name=s", "device=cpu"]
    assert main([*scored, *places]) == 0
    table = read_results(tmp_path / "scores/s").table
    assert len(table) == 12
    assert table["raw"].notna().any()
    assert main([*scored, *places, "scoring.causal=true", "batch_frames=1", "overwrite=true"]) == 0
    budget = Budget(threshold=float(table["raw"].median()))
    live = Live(loaded, budget, device="cpu")
    require_equal(live, footage / "new", tmp_path / "scores/s", budget)
