"""The watermark's own commands."""

from firmware_model.watermark.commands.verbs import app

__all__ = ["app"]
