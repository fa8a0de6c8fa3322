"""The command line; products bring verbs of their own."""
