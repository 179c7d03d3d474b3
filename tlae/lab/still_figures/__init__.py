"""How well planted objects are found in stills, and how often nothing raises an alarm."""
