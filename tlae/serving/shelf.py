"""Models of a folder by their id: loaded when asked for, swapped without a request noticing."""

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, cast

from tlae.errors import UserError
from tlae.exported.model import ExportedModel, load_exported
from tlae.missing_library import explaining_imports
from tlae.serving.refusals import Refused, not_found
from tlae.tensor_file import EXPORTED_SUFFIX, read_tensor_file

if TYPE_CHECKING:
    from tlae.image_sets.picture_judge import PictureJudge
    from tlae.model_file import Model

CAMERA = "camera"
MODEL_NAME = "model.safetensors"  # of a run folder
EXPORTED_NAME = f"model{EXPORTED_SUFFIX}"
ANY_FORMAT = 2**31  # each kind checks its own

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Shelved:
    """A model in memory; requests keep the one that they began with.

    Attributes:
        id: its name in the folder.
        kind: "camera", "novelty" or "filter".
        model: of a camera, or a judge of pictures.
        digest: sha256 of its file.
        loaded_at: seconds since 1970.
        path: of its file in the folder.
    """

    id: str
    kind: str
    model: "Model | ExportedModel | PictureJudge"
    digest: str
    loaded_at: float
    path: Path

    @property
    def judge(self) -> "PictureJudge | None":
        """The judge of pictures; None: it is the model of a camera."""
        return None if self.kind == CAMERA else cast("PictureJudge", self.model)

    @property
    def of_camera(self) -> "Model | ExportedModel":
        """The model of a camera.

        Raises:
            Refused: it is a judge of pictures.
        """
        if self.kind == CAMERA:
            return cast("Model | ExportedModel", self.model)
        raise Refused(
            422,
            f"model must be one of a camera (`tlae train`), {self.id} is of `tlae {self.kind} fit`",
        )


class ModelShelf:
    """The models of a folder.

    Args:
        folder: holds <id>/model.safetensors and <id>.safetensors; or .onnx, where those are not.
        most: models in memory at the same time.
        threads: of the processor, for a trained model; None: as many as torch takes.

    Raises:
        UserError: it is no folder, or no model lies in it.
    """

    def __init__(self, folder: Path, most: int = 8, threads: int | None = None) -> None:
        self._folder, self._most, self._threads = folder, most, threads
        self._loaded: OrderedDict[str, Shelved] = OrderedDict()
        self._lock, self._loading = threading.Lock(), threading.Lock()
        self.swaps = 0
        if not folder.is_dir():
            raise UserError(f"models must be a folder, got {folder}; `tlae train` fills one")
        if not self.files():
            raise UserError(
                f"models must hold <id>/{MODEL_NAME} or <id>.safetensors, {folder} holds none; "
                "`tlae train` writes one"
            )

    def files(self) -> dict[str, Path]:
        """Files by the id of their model, as they lie there now."""
        found: dict[str, Path] = {}
        for alone, of_run in (
            (f"*{EXPORTED_SUFFIX}", EXPORTED_NAME),
            ("*.safetensors", MODEL_NAME),
        ):
            found |= {path.stem: path for path in self._folder.glob(alone)}
            found |= {path.parent.name: path for path in self._folder.glob(f"*/{of_run}")}
        return dict(sorted(found.items()))

    def loaded(self) -> dict[str, Shelved]:
        """Models in memory by their id, the one asked for longest ago first."""
        with self._lock:
            return dict(self._loaded)

    def get(self, name: str) -> Shelved:
        """A model, loaded if need be.

        Raises:
            Refused: 404, no such model; 422, its file cannot be used.
        """
        with self._lock:
            if name in self._loaded:
                self._loaded.move_to_end(name)
                return self._loaded[name]
        with self._loading:
            return self.loaded().get(name) or self._load(name)

    def load(self, name: str) -> Shelved:
        """Read a model's file anew; requests from now on get it.

        Raises:
            Refused: as ``get``; the model in memory then stays.
        """
        with self._loading:
            return self._load(name)

    def load_all(self) -> None:
        """Load as many as may be in memory; say of others what is wrong with them.

        Raises:
            UserError: none can be used.
        """
        failed: UserError | None = None
        for name in list(self.files())[: self._most]:
            try:
                shelved = self.load(name)
                logger.info(f"model: {name} ({shelved.kind}, {shelved.digest[:12]})")
            except UserError as error:
                failed = error
                logger.warning(f"left out: {name}: {error}")
        if failed is not None and not self.loaded():
            raise failed

    def _load(self, name: str) -> Shelved:
        path = self.files().get(name)
        if path is None:
            raise not_found("model", name)
        try:
            content = path.read_bytes()
            kind, model = self._read(content, name, path.suffix)
        except OSError as error:
            raise Refused(422, f"model {name} cannot be read: {error.strerror}") from error
        except UserError as error:
            raise Refused(422, str(error)) from error
        digest = sha256(content).hexdigest()
        shelved = Shelved(name, kind, model, digest, time.time(), path)
        with self._lock:
            self.swaps += name in self._loaded
            self._loaded[name] = shelved
            self._loaded.move_to_end(name)
            while len(self._loaded) > self._most:
                self._loaded.popitem(last=False)
        return shelved

    def _read(
        self, content: bytes, name: str, suffix: str
    ) -> tuple[str, "Model | ExportedModel | PictureJudge"]:
        """Kind and model, from a copy: a mapped file that is written over would end the process."""
        with NamedTemporaryFile(suffix=suffix) as file:
            file.write(content)
            file.flush()
            path = Path(file.name)
            try:
                if suffix == EXPORTED_SUFFIX:
                    return CAMERA, replace(load_exported(path), file=None)
                return _trained(path, name, self._threads)
            except UserError as error:
                raise UserError(str(error).replace(str(path), name)) from error


def _trained(path: Path, name: str, threads: int | None) -> tuple[str, "Model | PictureJudge"]:
    """Kind and model of a file that torch may be needed for; an exported one needs none."""
    with explaining_imports(f"model {name}"):
        import torch

        from tlae.image_sets.judge_file import KINDS
        from tlae.image_sets.picture_judge import load_picture_judge
        from tlae.model_file import load_model

    facts, _ = read_tensor_file(path, "np", "tlae train", ANY_FORMAT)
    if threads is not None:
        torch.set_num_threads(threads)
    kind = str(facts.get("kind", CAMERA))
    if kind == CAMERA:
        return kind, replace(load_model(path), file=None)
    if kind in KINDS:
        return kind, load_picture_judge(path, kind)
    raise UserError(f"model {name} is of a kind that is not known: {kind!r}")
