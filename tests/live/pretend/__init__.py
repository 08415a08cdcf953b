"""Stands in for what a test of the operator's page cannot have: systemd, its journal, containers, a network."""
