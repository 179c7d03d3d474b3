"""What the camera itself does: its modes, its light, its shake, its health."""
