"""The entry of ``crowdselect`` and ``python -m crowdselect``: Ctrl-C is heard from the start."""

import sys


def main() -> int:
    """Run the command line; return its exit code, also where it is stopped while it loads."""
    try:
        from crowdselect.cli import main as run

        return run()
    except KeyboardInterrupt:
        sys.stderr.write("Error: Cancelled.\nNothing was begun; run the same command again.\n")
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
