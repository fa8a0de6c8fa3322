"""Programme material: what is synthesised, and excerpts of files."""
