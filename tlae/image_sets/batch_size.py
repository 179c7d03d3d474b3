"""How many pictures a descriptor takes at once: as many as the memory that is free allows."""

import os
import sys
from pathlib import Path

import numpy as np

from tlae.errors import UserError
from tlae.footage.frames import Image
from tlae.image_sets.descriptors import Descriptor

LARGEST = {"cpu": 16, "cuda": 256, "mps": 32}  # more is hardly faster
LARGEST_GIVEN = 4096
MEMORY_SHARE = 0.25  # of what is free; the rest is for reading ahead and for others
UNKNOWN_BYTES = 2 * 2**30  # taken to be free where the system does not tell


def parse_batch_size(text: str) -> int | None:
    """``auto`` to None, else the number.

    Raises:
        UserError: neither.
    """
    if text == "auto":
        return None
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_GIVEN:
        raise UserError(f"batch_size must be auto or within 1..{LARGEST_GIVEN}, got {text!r}")
    return int(text)


def measure_batch_size(descriptor: Descriptor, device: str, free_bytes: int | None = None) -> int:
    """Double the batch until twice as many would not fit; the answer is a power of two.

    Args:
        descriptor: run on black pictures.
        device: "cpu", "cuda", "cuda:1" or "mps".
        free_bytes: None: asked from the system.
    """
    blank = descriptor.prepare(_blank(descriptor))
    budget = MEMORY_SHARE * (free_memory(device) if free_bytes is None else free_bytes)
    largest = LARGEST.get(device.partition(":")[0], 16)
    size = 1
    before = _peak_memory(device)
    while size < largest:
        descriptor.describe([blank] * size)
        needed = _peak_memory(device) - before
        if 2 * needed > budget:
            break
        size *= 2
    return size


def free_memory(device: str = "cpu") -> int:
    """Bytes that may still be taken, with the limit of a container where there is one."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(torch.device(device))[0])
    free = [UNKNOWN_BYTES]
    meminfo = _read("/proc/meminfo")
    for line in meminfo.splitlines():
        if line.startswith("MemAvailable:"):
            free = [int(line.split()[1]) * 1024]
    limit, used = (_read(f"/sys/fs/cgroup/memory.{name}").strip() for name in ("max", "current"))
    if limit.isdecimal() and used.isdecimal():
        free.append(int(limit) - int(used))
    return max(0, min(free))


def _peak_memory(device: str) -> int:
    """Bytes that this process had at most so far, on the device or in memory."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.max_memory_reserved(torch.device(device)))
    if os.name != "posix":
        return 0
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _blank(descriptor: Descriptor) -> Image:
    height, width = descriptor.min_hw or (64, 64)
    return np.zeros((height, width, 3), np.uint8)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""
