"""The commands about bit-exactness: check, freeze, ranges, vectors, compare."""
