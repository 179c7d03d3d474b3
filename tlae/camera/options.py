"""Which parts of the camera are on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CameraOptions:
    """Which parts are on.

    Attributes:
        modes: distinguish day, night and infrared by what frames look like; off: one mode.
        light: give every frame the light of the background that it looks most like.
        light_reach: patches of light larger than this are evened out too [frame heights], in
            [0, 1]; 0: one tone curve for the whole frame.
        register: undo shake, up to 4 % of the frame height.
        local_contrast: divide by the local contrast.
        difference: show the net the difference to the background, around middle grey.
        health: raise no alarms from frozen, black, saturated, covered, blurred or moved frames.
    """

    modes: bool = False
    light: bool = False
    light_reach: float = 0.25
    register: bool = False
    local_contrast: bool = False
    difference: bool = False
    health: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.light_reach <= 1:
            raise ValueError(f"camera.light_reach must be in [0, 1], got {self.light_reach}")

    @property
    def is_any(self) -> bool:
        """Whether anything is on."""
        switches = (self.modes, self.light, self.register, self.local_contrast, self.difference)
        return any((*switches, self.health))
