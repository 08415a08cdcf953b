"""The full-screen console: conversations on the left, their messages on the right, and the input line below.

events -> model (plain state) -> timeline, sidebar, frame (lines of styled text) -> screen (prompt_toolkit draws)
keys -> view (opens, marks read, fetches what is missing); lines typed -> Commands, the same as in the plain console

One thread, one loop. prompt_toolkit's Application wants an asyncio loop: redrawing, completion and half-typed keys are
its tasks. The client wants a Twisted reactor. Twisted ships a reactor that turns on asyncio's loop, and `imd chat`
installs it before anybody imported another (see imd_client.reactor): either kind of coroutine is then a callback of the
same loop in the same thread, and nothing here needs a lock. Feeding prompt_toolkit's parser and renderer by hand from
Twisted's own reactor would mean to write its Application anew; a loop in a thread of its own, a lock round each event.
"""
