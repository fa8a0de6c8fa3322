"""Golden cases: frozen stimuli, frozen bits, and the named nodes between them."""
