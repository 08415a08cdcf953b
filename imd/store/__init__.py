"""The store: SQL as plain functions over a transaction, and the one writer that commits them in groups."""
