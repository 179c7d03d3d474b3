"""Wing: watch a camera as its frames arrive, and say at once what is unusual."""
