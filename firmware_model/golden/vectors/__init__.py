"""Golden vectors and parameters for projects without Python."""
