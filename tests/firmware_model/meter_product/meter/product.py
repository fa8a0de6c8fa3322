"""The entry point."""

from firmware_model.product import Product

PRODUCT = Product(name="meter", title="peak meter", package="meter")
