"""Command line of the companion package: `python -m course_utils doctor` and `… data list`."""

import argparse
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m course_utils", description="Check the machine, manage the data.")
    commands = parser.add_subparsers(dest="command", required=True)
    doctor_parser = commands.add_parser("doctor", help="check this machine; exit code 1 if the course can't run")
    doctor_parser.add_argument("--json", type=Path, metavar="FILE", help="also write the report to FILE")
    data_parser = commands.add_parser("data", help="list, fetch or verify the real datasets")
    data_parser.add_argument("action", choices=["list", "fetch", "verify"])
    data_parser.add_argument("name", nargs="*", help="datasets; all of them if none is named")
    options = parser.parse_args(arguments)
    if options.command == "doctor":
        from course_utils import doctor

        return 0 if doctor.report(options.json) else 1
    return manage_data(options.action, options.name)


def manage_data(action: str, names: list[str]) -> int:
    """`data list|fetch|verify`: one line per dataset; exit code 1 if one of them failed."""
    from course_utils import data

    unknown = [name for name in names if name not in data.registry]
    if unknown:
        print(f"no dataset named {', '.join(unknown)}; there are {', '.join(data.registry)}", file=sys.stderr)
        return 2
    failed = False
    for name in names or data.registry:
        try:
            if action == "fetch":
                data.fetch(name)
            elif action == "verify":
                data.verify(name)
            megabytes = data.registry[name].bytes / 1e6
            print(f"{name:<14} {megabytes:6.1f} MB  {data.status(name)}")
        except data.DataError as error:
            failed = True
            print(f"{name:<14} {error}", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
