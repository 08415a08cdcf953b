"""Rigs: machines that break the daemon on purpose and look at what is left."""
