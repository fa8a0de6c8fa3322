"""What `freeze` does: goldens of products, into the folder of each one's own package."""

import sysconfig
from pathlib import Path
from typing import Any, NamedTuple

from firmware_model.golden import freeze as goldens
from firmware_model.golden import store
from firmware_model.product import LIBRARY, Product, find_product, plugins
from fixedpoint.errors import BittrueError, ConfigError
from fixedpoint.subset.finding import shown


class Frozen(NamedTuple):
    """What was written of a product. size : bytes of all its goldens"""

    product: Product
    folder: Path
    changes: store.Changes
    size: int

    @property
    def installed(self) -> bool:
        """Whether they lie where the next `pip install` takes them away, and something changed."""
        return bool(self.changes) and self.folder.is_relative_to(sysconfig.get_path("purelib"))

    @property
    def facts(self) -> dict[str, Any]:
        """What --json prints."""
        return {
            "product": self.product.name,
            "folder": str(self.folder),
            **self.changes._asdict(),
            "bytes": self.size,
        }

    @property
    def in_words(self) -> str:
        """A line for each golden that changed, and how many did."""
        found = self.changes._asdict()
        lines = [f"{what}: {name}" for what, names in found.items() for name in names]
        counts = ", ".join(f"{len(names)} {what}" for what, names in found.items())
        return "\n".join(
            [*lines, f"{self.product.name}: {counts}; {self.size} bytes in all, in {shown(str(self.folder))}"]
        )


def freeze(names: list[str], reason: str, remake_stimuli: bool) -> list[Frozen]:
    """Freeze products, of installed packages all if none is named.

    Raises
    ------
    ConfigError
        No reason, no such product, or none at all.
    BittrueError
        The folder cannot be written to.
    """
    if not " ".join(reason.split()):
        raise ConfigError("--reason: missing; a line is needed that says why the goldens change")
    chosen = [LIBRARY if name == LIBRARY.name else find_product(name) for name in names] or list(plugins())
    if not chosen:
        raise ConfigError(
            "no product of an installed package found; --product NAME freezes one of bittrue's own"
        )
    found = []
    for product in chosen:
        folder = store.goldens_folder(product)
        try:
            changes = store.write(goldens.goldens(product, remake_stimuli), reason, folder, product.name)
        except OSError as error:
            raise BittrueError(f"{folder}: cannot be written: {error.strerror or error}") from error
        size = sum(path.stat().st_size for path in folder.iterdir())
        found.append(Frozen(product, folder, changes, size))
    return found
