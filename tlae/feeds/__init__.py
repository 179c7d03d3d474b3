"""Wing: new pictures of a feed, judged, and kept or left."""
