"""The full-screen console: conversations on the left, their messages on the right, and the input line below.

events -> model (plain state) -> timeline, frame (lines of styled text) -> screen (prompt_toolkit draws them)
keys   -> view (opens conversations, marks them read, fetches what is missing)
lines  -> Commands, the same as in the plain console

Why prompt_toolkit and Twisted share one loop: see imd_client.prompt.
"""
