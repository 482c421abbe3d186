"""What comes with the package: the registry of the data sets, the stand-ins, and what makes them."""

from pathlib import Path

FOLDER = Path(__file__).parent
