"""Where a net runs."""

import torch

from tlae.errors import UserError


def pick_device(device: str) -> torch.device:
    """The named device; auto takes a GPU where there is one.

    Raises:
        UserError: no such device is there, or it is no text.
    """
    if not isinstance(device, str):
        raise UserError(f"device must be auto, cpu, cuda, cuda:N or mps, got {device!r}")
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise UserError(
            f"device must be auto, cpu, cuda, cuda:N or mps and be there, got {device!r} "
            f"({str(error).splitlines()[0]})"
        ) from error
    return chosen
