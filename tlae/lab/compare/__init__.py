"""Several models on many scenes, and on other days of the same scenes."""
