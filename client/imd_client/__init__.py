"""The imd client: a connection that keeps itself up, an outbox, a cursor, and a console."""
