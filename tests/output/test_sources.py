"""Sources on disk: sent there while they are written."""

from concurrent.futures import ThreadPoolExecutor

from specnmf.output import sources
from specnmf.output.sources import Disk


def test_files_are_sent_to_the_disk_after_so_many_bytes(tmp_path, monkeypatch):
    sent = []
    monkeypatch.setattr(sources.os, "fsync", sent.append)
    path = tmp_path / "bass.wav"
    path.write_bytes(b"RIFF")
    with ThreadPoolExecutor(1) as thread:
        disk = Disk(thread)
        disk.send([path], sources.SEND_BYTES // 2)
        disk.send([path, tmp_path / "missing.wav"], sources.SEND_BYTES // 2)
        disk.send([path], 1)
    assert len(sent) == 1
