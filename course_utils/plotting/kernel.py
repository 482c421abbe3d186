"""Whether there is a notebook to show figures in."""

import sys
from typing import Any


def kernel_shell() -> Any:
    """IPython's shell inside a Jupyter kernel (JupyterLab, Colab, nbclient), None in a script."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell if getattr(shell, "kernel", None) is not None else None
