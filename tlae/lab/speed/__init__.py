"""How fast each stage is alone, and how near the whole comes to its slowest stage."""
