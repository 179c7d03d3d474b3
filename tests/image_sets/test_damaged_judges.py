"""Judge files that were made by hand or cut: one line, or a judge that works."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from tlae.errors import ModelFileError
from tlae.image_sets.filters import fit_filter
from tlae.image_sets.judge_file import Judge, load_judge, save_judge
from tlae.image_sets.novelty import calibration_of, fit_novelty
from tlae.tensor_file import METADATA_KEY

VALUES = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
ODD_VALUES = (None, True, -1, 10**12, float("nan"), float("inf"), "x", [], {}, [[1]], {"a": 1})


def judge(method: str) -> Judge:
    preparation, estimator, calibration = fit_novelty(VALUES, method, pca=2, folds=2)
    return Judge("novelty", method, preparation, estimator, {}, {}, False, calibration, 0.5)


def parts_of(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    with safe_open(path, "np") as file:
        facts = json.loads(file.metadata()[METADATA_KEY])
        return facts, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def loads_or_says_why(path: Path) -> bool:
    said = ""
    try:
        loaded = load_judge(path, "novelty")
    except ModelFileError as error:
        said = str(error)
    if said:
        assert "\n" not in said
        assert str(path) in said
        return False
    assert np.isfinite(loaded.scores(VALUES)).all()
    return True


@pytest.mark.parametrize("method", ["elliptic_envelope", "gaussian_mixture", "isolation_forest"])
def test_any_fact_and_any_array_may_be_another_one(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tlae.image_sets.estimators.FOREST_TREES", 5)  # it is read 60 times
    save_judge(judge(method), tmp_path / "m")
    assert loads_or_says_why(tmp_path / "m")
    facts, arrays = parts_of(tmp_path / "m")
    changes: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for key in facts:
        changes += [({**facts, key: value}, arrays) for value in ODD_VALUES]
        changes.append(({k: v for k, v in facts.items() if k != key}, arrays))
    for key, array in arrays.items():
        odd = [array[..., None], array.ravel()[:0], array[:-1], np.zeros(3, np.int64)]
        changes += [(facts, {**arrays, key: np.ascontiguousarray(other)}) for other in odd]
        changes.append((facts, {k: v for k, v in arrays.items() if k != key}))
    rng = np.random.default_rng(0)
    for number in rng.choice(len(changes), 60, replace=False):
        save_file(
            changes[number][1], tmp_path / "m", {METADATA_KEY: json.dumps(changes[number][0])}
        )
        loads_or_says_why(tmp_path / "m")


def test_a_judge_whose_numbers_are_not_finite_is_not_saved(tmp_path: Path) -> None:
    bad = judge("elliptic_envelope")
    bad.estimator.location_[0] = np.nan  # type: ignore[attr-defined]
    with pytest.raises(ModelFileError, match=r"estimator\.location_ are not"):
        save_judge(bad, tmp_path / "m")
    assert not list(tmp_path.iterdir())


def test_a_filter_that_learnt_from_quadrants_side_by_side_is_refused(tmp_path: Path) -> None:
    preparation, estimator, held_out = fit_filter(VALUES[:20], VALUES[20:])
    parts = (preparation, estimator, {}, {}, True, calibration_of(held_out), 0.5)
    save_judge(Judge("filter", "logistic_regression", *parts), tmp_path / "m")
    assert load_judge(tmp_path / "m", "filter").quadrants
    facts, arrays = parts_of(tmp_path / "m")
    del facts["pooled"]
    save_file(arrays, tmp_path / "m", {METADATA_KEY: json.dumps(facts)})
    with pytest.raises(ModelFileError, match="learnt from quadrants side by side"):
        load_judge(tmp_path / "m", "filter")
