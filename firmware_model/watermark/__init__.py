"""The watermark: key, embedder, and the Q15 detector as firmware runs it."""
