"""Output that survives every encoding: Windows still writes code pages into files and pipes."""

from __future__ import annotations

import codecs
import sys

# what the course prints beyond ASCII, for a stream that can't show it
PLAIN = {
    "✓": "+", "✗": "x", "○": "o", "·": "-", "…": "...", "–": "-", "—": "-", "→": "->", "←": "<-",
    "×": "x", "≥": ">=", "≤": "<=", "≈": "~", "“": '"', "”": '"', "’": "'",
}  # fmt: skip


def _plain(error: UnicodeError) -> tuple[str, int]:
    """An error handler of codecs: the characters that can't be written, in ASCII."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    return "".join(PLAIN.get(character, "?") for character in characters), error.end


codecs.register_error("course-plain", _plain)


def use_any_encoding() -> None:
    """From now on stdout and stderr write what their encoding lacks as ASCII, ✓ as +, and never raise."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a notebook's streams can show everything and have no such method
            stream.reconfigure(errors="course-plain")
