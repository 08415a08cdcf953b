"""Export: a copy of everything an account has. Made in pieces, kept for an hour, fetched in parts."""
