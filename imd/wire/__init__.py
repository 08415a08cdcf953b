"""What is said: commands, replies, events and refusals, and the two dialects they are spoken in.

Pure: no Twisted, no sockets, no files but the catalog of words. A client needs nothing else of imd.
"""
