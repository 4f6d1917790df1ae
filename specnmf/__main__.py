"""``python -m specnmf``, and the console script."""

# Of C, for signal itself takes a while to import.
import _signal  # type: ignore[import-not-found]

# Ctrl-C ends the process without a traceback until `main` takes care of it: what is
# imported meanwhile takes a twentieth of a second.
if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

from specnmf.cli import main

if __name__ == "__main__":
    main()
