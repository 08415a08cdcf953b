"""How bytes move: the protocol, the factory with the online map, TLS and the port. No rule of chat lives here."""
