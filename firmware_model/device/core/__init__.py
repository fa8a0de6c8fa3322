"""The emulated core: memory, instructions, faults, ELF files."""
