"""The dynamics processor's own command."""

from firmware_model.dynamics.commands.verbs import app

__all__ = ["app"]
