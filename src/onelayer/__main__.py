"""``onelayer`` and ``python -m onelayer``: Ctrl-C is silent while the command line is loaded, and once all is done."""

import signal
import sys


def main() -> None:
    """Load the command line and run it."""
    try:
        from onelayer.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python would show a traceback of its own end


if __name__ == "__main__":
    main()
