"""Outputs as they are kept: no path of this machine, figures in few bytes, no widget without its kernel."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from nbformat import NotebookNode
from PIL import Image

WIDGET = "application/vnd.jupyter.widget-view+json"


def sanitized(outputs: Sequence[NotebookNode], places: Mapping[str, str]) -> list[NotebookNode]:
    """Outputs without paths of the machine that made them, their figures as `smaller` makes them.

    places: path -> what stands in its stead, e.g. {"/home/me": "~"}.
    """

    def clean(value: Any) -> Any:
        if isinstance(value, list):
            return [clean(item) for item in value]
        if not isinstance(value, str):
            return value
        value = re.sub(r"[^\s\"'(]*ipykernel_\d+[/\\]\d+\.py", "[cell]", value)
        for place in sorted(places, key=len, reverse=True):
            value = re.sub(rf"(?<![\w.-]){re.escape(place)}(?![\w-])", places[place], value)
        return value

    cleaned = []
    for output in outputs:
        output = NotebookNode(output)
        if "text" in output:
            output.text = clean(output.text)
        if "data" in output:
            data = output.data.items()
            # sliders live in a kernel: their text stays, and their picture is an output of its own
            kept = {k: clean(v) if k.startswith("text/") else v for k, v in data if k != WIDGET}
            output.data = NotebookNode(kept)
            if "image/png" in output.data:
                output.data["image/png"] = smaller(output.data["image/png"])
        cleaned.append(output)
    return cleaned


def smaller(png: str) -> str:
    """A figure in 256 colors, a third of the bytes, as far as that changes hardly a pixel; else as it was.

    png: base64. A photograph loses too much and is kept.
    """
    opened = Image.open(io.BytesIO(base64.b64decode(png)))
    if opened.mode not in ("RGB", "RGBA"):
        return png
    picture = opened.convert("RGB")
    drawn = picture.quantize(256, dither=Image.Dither.NONE)
    error = np.abs(np.asarray(picture, int) - np.asarray(drawn.convert("RGB"), int))
    packed = io.BytesIO()
    drawn.save(packed, "PNG", optimize=True)
    found = base64.b64encode(packed.getvalue()).decode()
    return found if np.quantile(error, 0.999) <= 16 and len(found) < len(png) else png
