"""Fixtures of the batch's tests."""

import uuid
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class S3:
    """An empty folder of a real S3 API on the loopback.

    Attributes
    ----------
    url : str
        The folder, ``s3://bucket/folder``.
    environment : dict
        What a process needs in its environment to reach it; this one has it.
    """

    url: str
    environment: dict[str, str]


@pytest.fixture(scope="session")
def s3_server():
    """The environment in which processes reach moto's server."""
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(
        ip_address="127.0.0.1", port=0, verbose=False
    )
    server.start()
    host, port = server.get_host_and_port()
    yield {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": host,
    }
    server.stop()


@pytest.fixture
def s3(s3_server, monkeypatch):
    import fsspec

    for name, value in s3_server.items():
        monkeypatch.setenv(name, value)
    files = fsspec.filesystem("s3", use_listings_cache=False)
    if not files.exists("songs"):
        files.mkdir("songs")
    return S3(f"s3://songs/{uuid.uuid4().hex}", s3_server)
