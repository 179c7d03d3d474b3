"""Pictures and videos of what is unusual: pure functions of arrays, and writers of whole files."""
