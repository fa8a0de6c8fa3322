"""The commands about firmware: export, device."""
