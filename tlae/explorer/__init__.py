"""The explorer without the web: maps, clusters, jobs, files, pictures, the page's files."""
