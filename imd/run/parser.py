"""The parser of the command line: argparse, with help and errors in the person's language.

argparse's own sentences are English and change between versions of Python, so none of them is shown: titles, usage
and errors come from the catalog. A mistake is one line on stderr, with the nearest known word, and exit code 1.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn
from unicodedata import east_asian_width

import imd
from imd.wire import catalog
from imd.wire.terminal import block

_PIECE = re.compile(r"[（「]*(?:[\u2e80-\uffef]|[^\s\u2e80-\uffef]+)[，。；：！？、）」]*\s*")
"""A piece of help that stays on one line: a word or a Chinese character, with its punctuation."""


def say(key: str, **params: object) -> str:
    """Give a sentence of the command line, in the language of this process's environment."""
    return catalog.say(f"command_line.{key}", catalog.language_here(), **params)


def echo(text: str, *, wrong: bool = False) -> None:
    """Print any text, made harmless for a terminal; `wrong` prints it to stderr."""
    print(block(text), file=sys.stderr if wrong else sys.stdout, flush=True)


class _Formatter(argparse.HelpFormatter):
    """Wraps by columns, where argparse counts characters: a Chinese one has two, and a line may break after it."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        lines, used = [""], 0
        for piece in _PIECE.findall(text):
            columns = sum(1 + (east_asian_width(each) in "WF") for each in piece.rstrip())
            if used + columns > width and lines[-1]:
                lines.append("")
                used = 0
            lines[-1] += piece
            used += columns + len(piece) - len(piece.rstrip())
        return [line.rstrip() for line in lines]

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(f"{indent}{line}" for line in self._split_lines(text, width))


class Parser(argparse.ArgumentParser):
    """The parser of one command, or of a program with commands. Options and arguments may come in any order."""

    def __init__(self, prog: str, about: str = "") -> None:
        super().__init__(
            prog,
            usage=argparse.SUPPRESS,
            description=about,
            formatter_class=_Formatter,
            add_help=False,
            allow_abbrev=False,
        )
        self.commands: dict[str, Parser] = {}
        self._subparsers_action: Any = None
        self._words: list[tuple[argparse.Action, bool]] = []
        """Its arguments in order, and whether each is required."""

        self._flags: set[str] = set()
        self._with_value: set[str] = set()
        self._groups = self.add_argument_group(say("words")), self.add_argument_group(say("options"))
        self.add_argument("-h", "--help", action="help", help=say("help"))
        self.add_argument("--version", action="version", version=f"imd {imd.__version__}", help=say("version"))

    def add_argument(self, *names: str, **settings: Any) -> argparse.Action:
        """Add an option, or an argument if the name has no dash. An argument with `nargs="?"` is optional."""
        words, options = self._groups
        if settings.get("help"):
            settings["help"] = settings["help"].replace("%", "%%")
        if names[0].startswith("-"):
            action = options.add_argument(*names, **settings)
            (self._flags if action.nargs == 0 else self._with_value).update(names)
            return action
        needed = settings.get("nargs") != "?"
        action = words.add_argument(*names, **settings | {"nargs": "?"})  # so that our own error names a missing one
        self._words.append((action, needed))
        return action

    def add_command(self, name: str, summary: str, about: str = "") -> "Parser":
        """Add a command of this program."""
        if self._subparsers_action is None:
            metavar = f"{say('command')} [{say('usage.options')}]"
            self._subparsers_action = self.add_subparsers(title=say("commands"), metavar=metavar, prog=self.prog)
        self.commands[name] = self._subparsers_action.add_parser(name, help=summary.replace("%", "%%"), about=about)
        return self.commands[name]

    def parse(self, given: Sequence[str]) -> argparse.Namespace:
        """Parse a command line. A mistake ends the process with one line, half a command with its help."""
        parser = self._chosen(given)
        namespace, rest = self.parse_known_args(parser._joined(given))
        if parser.commands:
            raise SystemExit(parser.format_help())
        parser._take(namespace, rest)
        return namespace

    def _chosen(self, given: Iterable[str]) -> "Parser":
        """Find the command that a command line names."""
        parser = self
        for word in given:
            if not parser.commands:
                break
            if word in parser.commands:
                parser = parser.commands[word]
            elif word not in parser._flags:
                case = "unknown_option" if word.startswith("-") else "unknown_command"
                raise parser._mistake(case, word, [*parser.commands, *parser._flags])
        return parser

    def _joined(self, given: Sequence[str]) -> list[str]:
        """Join options to values that begin with a dash, such as `-m -x`: argparse would take those for options."""
        words: list[str] = []
        for word in given:
            flag = words[-1] if words else ""
            value = word.startswith("-") and word not in self._flags | self._with_value and "--" not in words
            if flag in self._with_value and value:
                words[-1] = f"{flag}={word}" if flag.startswith("--") else f"{flag}{word}"
            else:
                words.append(word)
        return words

    def _take(self, namespace: argparse.Namespace, rest: list[str]) -> None:
        """Assign the arguments that argparse left over, such as those after an option."""
        end = rest.index("--") if "--" in rest else len(rest)
        for word in rest[:end]:
            if word.startswith("-") and word != "-":
                raise self._mistake("unknown_option", word.partition("=")[0], self._flags | self._with_value)
        words = rest[:end] + rest[end + 1 :]
        for action, needed in self._words:
            if getattr(namespace, action.dest) is None and words:
                setattr(namespace, action.dest, words.pop(0))
            if getattr(namespace, action.dest) is None and needed:
                raise self._mistake("missing", str(action.metavar or action.dest))
        if words:
            raise self._mistake("extra", words[0])

    def _mistake(self, case: str, word: str, known: Iterable[str] = ()) -> SystemExit:
        sentence = say(case, word=word, command=self.prog)
        if near := get_close_matches(word, sorted(known), n=1):
            sentence = say("near", mistake=sentence, suggestion=near[0])
        return SystemExit(block(f"imd: {sentence}"))

    def error(self, message: str) -> NoReturn:
        """End the process and name the wrong option. argparse's own message is not shown."""
        cause = sys.exception()
        name = cause.argument_name if isinstance(cause, argparse.ArgumentError) else None
        option = max((name or message).split("/"), key=len)
        raise self._mistake("takes_no_value" if option in self._flags else "needs_value", option)

    def format_help(self) -> str:
        """Write the usage line in front of argparse's help."""
        words = [(str(action.metavar or action.dest), needed) for action, needed in self._words]
        line = [self.prog, *([say("command")] if self.commands else []), f"[{say('usage.options')}]"]
        line += [word if needed else f"[{word}]" for word, needed in words]
        return f"{say('usage', line=' '.join(line))}\n\n{super().format_help()}"
