"""Pictures of a set, opened under the name of the setting that gave them."""

from tlae.errors import FootageError
from tlae.footage.sources import Footage, open_footage


def open_pictures(
    spec: str, setting: str = "images", time_pattern: str | None = None, exclude: str | None = None
) -> Footage:
    """Open pictures; messages on footage name the settings of commands for pictures instead.

    Args:
        spec: as ``open_footage`` takes it.
        setting: of the command, that gave ``spec``.
        time_pattern: see ``open_footage``.
        exclude: see ``open_footage``.

    Raises:
        FootageError: nothing is there.
    """
    try:
        return open_footage(spec, time_pattern=time_pattern, exclude=exclude)
    except FootageError as error:
        text = str(error).replace("footage.path", setting, 1)
        for name in ("exclude", "time_pattern"):
            text = text.replace(f"footage.{name}", name)
        raise FootageError(text) from error
