"""Learn what is normal for one fixed camera, score every frame, show what is not."""

__version__ = "0.1.0"
