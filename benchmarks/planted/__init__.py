"""Porting mistakes planted in the exported C, and what `bittrue compare` makes of the dumps."""
