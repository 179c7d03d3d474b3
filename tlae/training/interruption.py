"""Ctrl-C during a fit: it ends between two batches."""

from typing import Any

import pytorch_lightning as pl


class Interruption(pl.Callback):
    """End the fit after the batch in which the user pressed Ctrl-C.

    Raised wherever the program happens to be, ``KeyboardInterrupt`` can leave a lock of another
    library taken (a queue of TensorBoard's, for example), and closing that library waits for it for
    ever. A second Ctrl-C is raised at once.
    """

    def __init__(self) -> None:
        self.asked = False

    def note(self, _number: int) -> None:
        """The signal came."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def on_train_batch_end(self, *_: Any, **__: Any) -> None:  # noqa: D102  Lightning's
        self._end()

    def on_validation_batch_end(self, *_: Any, **__: Any) -> None:  # noqa: D102
        self._end()

    def _end(self) -> None:
        if self.asked:
            raise KeyboardInterrupt
