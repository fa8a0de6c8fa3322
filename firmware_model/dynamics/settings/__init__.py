"""Settings of the dynamics processor: in units, as profiles, and quantised."""
