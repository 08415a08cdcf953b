"""How it is asked: the session of one connection, the gate every command passes, and the lanes it runs in."""
