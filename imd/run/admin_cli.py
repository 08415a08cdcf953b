"""`imd NOUN VERB`: every command of admins on the command line, made from its declaration."""

import argparse
import getpass
import sys
from typing import Any

import msgspec
from twisted.internet.task import react

from imd.run import operator
from imd.run.errors import OperatorError
from imd.run.options import PLACE, add_options, configured
from imd.run.parser import Parser, echo, say
from imd.wire import build, catalog
from imd.wire.base import Right, Spec, registry
from imd.wire.jsonline import sentence
from imd.wire.refusals import BadEncoding, Refusal


def add_commands(program: Parser) -> None:
    """Add `user add` and its like: each noun is a program of its verbs."""
    verbs: dict[str, list[tuple[str, Spec]]] = {}
    for spec in registry:
        if spec.right is Right.ADMIN:
            noun, verb = spec.verb.lower().split()
            verbs.setdefault(noun, []).append((verb, spec))
    for noun, specs in verbs.items():
        nouns = program.add_command(noun, say("administer", verbs=", ".join(verb for verb, _ in specs)))
        for verb, spec in specs:
            _add_command(nouns, verb, spec)


def _add_command(noun: Parser, verb: str, spec: Spec) -> None:
    language = catalog.language_here()
    summary = catalog.say(f"help.{spec.action}", language)
    parser = noun.add_command(verb, summary, say("dash", summary=summary) if spec.takes else summary)
    for number, name in enumerate(spec.takes):
        needed = {"nargs": "?"} if number else {}
        parser.add_argument(f"field {name}", metavar=name, help=catalog.say(f"field.{name}", language), **needed)
    for field in msgspec.structs.fields(spec.shape):
        if field.name not in spec.takes:
            kind = {"action": "store_true"} if field.type is bool else {"metavar": field.name.upper()}
            option, about = f"--{field.name.replace('_', '-')}", catalog.say(f"field.{field.name}", language)
            parser.add_argument(option, dest=f"field {field.name}", help=about, **kind)
    add_options(parser, PLACE)
    parser.set_defaults(run=run, spec=spec)


def run(namespace: argparse.Namespace) -> None:
    """Run the command, and print its reply."""
    react(ask, [namespace])


async def ask(reactor: Any, namespace: argparse.Namespace) -> None:
    """Run the command and print its reply. A refusal is one line on stderr, with exit code 1."""
    spec: Spec = namespace.spec
    fields = {
        name.removeprefix("field "): value
        for name, value in vars(namespace).items()
        if name.startswith("field ") and value not in (None, False)
    }
    fields |= {name: _prompt(name) for name in spec.takes if fields.get(name) == "-"}
    try:
        "".join(map(str, fields.values())).encode()  # a shell hands on any bytes
        command = build.build(spec, fields, strict=False)
        reply = await operator.ask(reactor, configured(vars(namespace)), spec, command)
    except (Refusal, UnicodeEncodeError) as error:
        refusal = error if isinstance(error, Refusal) else BadEncoding()
        echo(f"imd: {sentence(refusal, catalog.language_here())}", wrong=True)
    except (OperatorError, operator.CommandRefused) as error:
        echo(f"imd: {error}", wrong=True)
    else:
        echo("\n".join(operator.render_reply(spec, reply)))
        return
    raise SystemExit(1)


def _prompt(name: str) -> str:
    """Read a field from the terminal or stdin, so that a password stays out of the shell's history."""
    if sys.stdin is None:  # closed
        return ""
    return getpass.getpass(f"{name}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
