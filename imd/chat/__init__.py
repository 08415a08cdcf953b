"""What imd does: the rules. One handler a command, plain functions over a transaction; no network, no clock."""
