"""One figure of an evaluation: its full name, its value, and what it rests on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """A named figure.

    Attributes:
        key: short name for tables and programs, for example ``auc_raw``.
        name: the protocol in full, for example "ROC AUC, micro, raw scores".
        level: what is counted: "frame", "pixel", "region", "event".
        value: the figure; None where it is not defined, and ``basis`` then says why.
        unit: "%" (value in [0, 1], shown times 100), "s", "frames", "count", "per hour".
        basis: what it rests on, for example "2,010 frames, 362 normal".
        interval: 95 % interval from resampled clips, where there is one.
    """

    key: str
    name: str
    level: str
    value: float | None
    unit: str = "%"
    basis: str = ""
    interval: tuple[float, float] | None = None

    @property
    def shown(self) -> str:
        """Value as text, with its unit."""
        return "not defined" if self.value is None else _shown(self.value, self.unit)

    @property
    def shown_interval(self) -> str:
        """Interval as text, or nothing."""
        if self.interval is None:
            return ""
        low, high = (_shown(bound, self.unit) for bound in self.interval)
        return f"{low.removesuffix(' %')} to {high}"


def _shown(value: float, unit: str) -> str:
    if unit == "%":
        return f"{100 * value:.1f} %"
    if unit == "count":
        return f"{value:,.0f}"
    return f"{value:.3g} {unit}"
