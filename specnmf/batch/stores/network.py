"""The file systems of fsspec, and what they raise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from specnmf.batch.stores.store import reason
from specnmf.errors import ParameterError, SpecnmfError

#: The protocols that the optional dependencies are for.
_EXTRA = {"s3", "s3a", "gs", "gcs"}

_REMEDY = "pip install 'specnmf[cloud]'"


@lru_cache(maxsize=32)
def file_system(protocol: str, authority: str, process: int) -> Any:
    """The file system of a bucket or host; it comes from fsspec.

    Each process has its own: connections outlive no fork. If the protocol is unknown,
    or what it needs is not installed, that is a ParameterError.
    """
    url = f"{protocol}://{authority}/"
    try:
        import fsspec

        kind = fsspec.get_filesystem_class(protocol)
        options = kind._get_kwargs_from_urls(url)
        return kind(use_listings_cache=False, skip_instance_cache=True, **options)
    except ModuleNotFoundError as error:
        raise ParameterError(
            f"{url}: expected fsspec to reach it; {_REMEDY}"
        ) from error
    except ImportError as error:
        remedy = f"; {_REMEDY}" if protocol in _EXTRA else ""
        raise ParameterError(f"{url}: {reason(error)}{remedy}") from error
    except Exception as error:  # each backend has its own
        raise ParameterError(f"{url}: {reason(error)}") from error


@contextmanager
def network() -> Iterator[None]:
    """Turn errors of the network's libraries, which share no base, into OSErrors."""
    try:
        yield
    except (OSError, SpecnmfError):
        raise
    except Exception as error:
        raise OSError(reason(error)) from error
