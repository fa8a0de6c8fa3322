"""A user's own firmware: map, memory, ELF on the emulated core, library of this host."""
