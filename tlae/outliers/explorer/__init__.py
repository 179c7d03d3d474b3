"""What the explorer shows and does, without the web: maps, clusters, jobs, files, pictures, pages."""
