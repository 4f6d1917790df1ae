"""Bounds of a converter: what it may take of the machine."""

from __future__ import annotations

#: Bytes of memory, seconds of computing, and bytes of a file that it may write.
MEMORY, SECONDS, FILE = 1 << 30, 20, 256 << 20


def set_bounds() -> None:
    """Bound this process, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    bounds = (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, FILE),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, most in bounds:
        _, hard = resource.getrlimit(kind)
        if hard == resource.RLIM_INFINITY or most <= hard:
            resource.setrlimit(kind, (most, hard))


set_bounds()
