"""A description of each figure, for those who can't see it."""

import textwrap
from typing import Any

from matplotlib.figure import Figure

from course_utils.plotting.kernel import kernel_shell

LONGEST = 250  # characters; a screen reader can't skip within a description


def description(figure: Figure) -> str:
    """What a figure says of itself in one line: its titles; without any, the axes' labels, else its texts.

    Empty for a figure without words.
    """
    axes = figure.axes
    above = [(ax.get_title("left"), ax.get_title("center"), ax.get_title("right")) for ax in axes]
    titles = [figure.get_suptitle(), *(title for three in above for title in three)]
    labels = [" against ".join(filter(None, (ax.get_ylabel(), ax.get_xlabel()))) for ax in axes]
    texts = [text.get_text() for ax in axes for text in ax.texts]
    for words in (titles, labels, texts):
        lines = dict.fromkeys(" ".join(word.replace("$", "").split()) for word in words)
        if found := "; ".join(filter(None, lines)):
            return textwrap.shorten(found, LONGEST, placeholder=" …")
    return ""


def describe_figures() -> None:
    """Give every figure that this kernel displays its description, in three places of the output:

    - metadata["image/png"]["alt"], where nbconvert and the course's build look for it;
    - metadata["title"], whatever the image's format and size;
    - data["text/plain"], in place of <Figure size …>: VS Code's alternative text.

    JupyterLab (4.6) gives an image no alternative text. Outside a kernel this does nothing.
    """
    if shell := kernel_shell():
        # the formatter of the whole bundle adds to those of each format, which stay as they were
        shell.display_formatter.mimebundle_formatter.for_type(Figure, _bundle)


def _bundle(figure: Figure) -> tuple[dict[str, str], dict[str, Any]]:
    """Output data and metadata of a figure, without its picture."""
    if not (words := description(figure)):
        return {}, {}
    return {"text/plain": words}, {"title": words, "image/png": {"alt": words}}
