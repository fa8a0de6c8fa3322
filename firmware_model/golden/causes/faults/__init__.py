"""Wrong roundings, widths and constants: a copy of the kernels made to err, and the search in it."""
