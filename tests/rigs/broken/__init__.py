"""The daemon with one promise broken each, so that the rigs can show that they see it."""
