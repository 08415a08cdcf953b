"""How imd is run: configuration, service, command line. The one floor that knows all the others."""
