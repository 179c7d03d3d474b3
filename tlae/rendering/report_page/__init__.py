"""The report of one scored footage: one HTML page that opens from disk, without network."""
