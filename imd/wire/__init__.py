"""What is said: commands, replies, events and refusals, and the two dialects in which they are written.

Pure: no Twisted, no sockets, no files but the catalog of sentences. A client needs nothing else of imd.
"""
