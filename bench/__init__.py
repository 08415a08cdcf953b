"""Measured speed: a load generator and a server, each in its own process on its own core. See docs/performance.md."""
