"""Score many cameras and days: on several processes, machines or a Ray cluster."""
