"""Small exported models."""

from typing import Any

from tests.small_footage import small_model
from tlae.exported.model import ExportedModel, model_of
from tlae.exporting.export import exported
from tlae.model_file import Model


def export_of(model: Model, engine: str = "onnxruntime") -> ExportedModel:
    """As it is read back."""
    return model_of(exported(model, engine)[0])


def small_export(name: str = "cae", **given: Any) -> tuple[Model, ExportedModel]:
    """A model with random weights, and the same exported."""
    model = small_model(name, **given)
    return model, export_of(model)
