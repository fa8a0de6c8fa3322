"""Products as C99: header, source, vectors, the programs around them, and the compiler."""
