"""The entry point that bittrue finds; it imports nothing else, since `bittrue --help` loads it."""

from firmware_model.product import Product

PRODUCT = Product(name="dcgate", title="DC blocker and noise gate", package="dcgate")
