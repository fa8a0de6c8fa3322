"""A stereo peak meter, which gives fields instead of samples, and a verb of its own."""
