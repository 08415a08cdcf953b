"""A copy of all that an account has: made in pieces, kept for an hour, fetched in parts."""
