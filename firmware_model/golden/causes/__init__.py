"""Why a dump leaves the model: suspects that are run again until one gives the dump."""
