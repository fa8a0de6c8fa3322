"""Putting the mark into a programme: masking, planning, the mark itself."""
