"""What benchmarks share: arguments, tables, files of results, processes."""
