"""Command line of the companion package: `python -m course_utils doctor` and `… data list`."""

import argparse
import sys
from pathlib import Path

from course_utils import data, doctor


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 1 if the course can't run, or data are missing."""
    parser = argparse.ArgumentParser(prog="python -m course_utils", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    doctor_parser = commands.add_parser("doctor", help="check this machine")
    doctor_parser.add_argument("--json", type=Path, metavar="FILE", help="also write the report to FILE")
    data_parser = commands.add_parser("data", help="list, fetch or verify the real datasets")
    data_parser.add_argument("action", choices=["list", "fetch", "verify"])
    data_parser.add_argument("name", nargs="*", help="datasets; all of them if none is named")
    options = parser.parse_args(arguments)
    if options.command == "doctor":
        return 0 if doctor.report(options.json) else 1
    if unknown := set(options.name) - set(data.registry):
        parser.error(f"no dataset is named {', '.join(unknown)}; there are {', '.join(data.registry)}")
    failed = False
    for name in options.name or data.registry:
        try:
            if options.action == "fetch":
                data.fetch(name)
            status = data.status(name)
            failed |= options.action != "list" and not status.endswith("verified")
        except data.DataError as error:
            status, failed = str(error), True
        dataset = data.registry[name]
        size = dataset.archive.bytes if dataset.archive else sum(file.bytes for file in dataset.files)
        print(f"{name:<14} {size / 1e6:6.1f} MB  {status}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
