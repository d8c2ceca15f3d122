"""What the documents show: blocks of code, and the commands in blocks and sentences."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]

DOCUMENTS = sorted(
    [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md"), *PROJECT.glob("recordings/*.md")]
)

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"(?<=\n\n)((?:    [^\n]*\n)+)")
_INLINE = re.compile(r"`([^`]+)`")
_FILE_NAME = re.compile(r"`([\w-]+\.(?:py|yaml))`")
_ENDS_COMMAND = set("();&|<>")


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        language: As the fence names it; `sh` of an indented block, empty without a name.
        text: Its content.
        file: The file's name that was told last before it; None: none was.
    """

    language: str
    text: str
    file: str | None


def blocks(document: Path) -> list[Block]:
    """The blocks of a document, in order."""
    text = document.read_text()
    found = [(match.start(), match[1], match[2]) for match in _FENCE.finditer(text)]
    prose = _FENCE.sub(lambda match: "\n" * len(match[0]), text)  # places stay as they are
    found += [(match.start(), "sh", match[1]) for match in _INDENTED.finditer(prose)]
    return [
        Block(language, content, next(iter(_FILE_NAME.findall(text[:start])[::-1]), None))
        for start, language, content in sorted(found)
    ]


def blocks_of(name: str, language: str) -> list[Block]:
    """The blocks of a guide in one language."""
    found = [
        block for block in blocks(PROJECT / "docs" / "guides" / name) if block.language == language
    ]
    assert found, f"{name} shows no {language}"
    return found


def commands(document: Path) -> Iterator[list[str]]:
    """Words of each command in blocks of shell."""
    for block in blocks(document):
        if block.language in ("sh", "bash", ""):
            for line in block.text.replace("\\\n", " ").splitlines():
                yield from _simple_commands(line)


def mentions(document: Path) -> Iterator[list[str]]:
    """Words of each command that stands in a sentence; it may be cut short there."""
    for code in _INLINE.findall(_FENCE.sub("", document.read_text())):
        if "\n" not in code:
            yield from _simple_commands(code)


def _simple_commands(line: str) -> Iterator[list[str]]:
    """The simple commands of a line, without variables set for them and redirections."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:  # a line of output that has an apostrophe
        return
    command: list[str] = []
    for word in [*words, ";"]:
        if set(word) <= _ENDS_COMMAND:
            if command:
                yield command
            command = []
        elif command or not re.match(r"\w+=", word):
            command.append(word)
