"""Range, headroom and noise of nodes; formats proposed for them."""
