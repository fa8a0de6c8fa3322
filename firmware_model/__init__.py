"""The firmware under test: products, their float64 references and the command line."""
