"""`bittrue new`: an installable package with one small product in it."""
