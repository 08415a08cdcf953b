"""`imd chat`, `imd send` and `imd export`: the client declares their options and runs them."""

from imd_client import console, export, send

from imd.run.parser import Parser, say


def add_commands(program: Parser) -> None:
    """Add the three to the program."""
    for name, command in (("chat", console), ("send", send), ("export", export)):
        parser = program.add_command(name, say(name), say(name))
        command.add_arguments(parser)
        parser.set_defaults(run=command.run)
