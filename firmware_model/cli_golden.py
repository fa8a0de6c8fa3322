"""The commands about bit-exactness, part of the command line in `cli`.

Each command imports what it needs when it runs, as in `cli`.
"""

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None)
