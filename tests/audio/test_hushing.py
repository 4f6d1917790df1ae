"""Standard error without libmpg123's notes."""

import os
import subprocess
import sys
import threading
from pathlib import Path

from specnmf.audio.hushing import hushed

NOTES = [
    b"Note: Illegal Audio-MPEG-Header 0x00000000 at offset 40124.\n",
    b"Warning: Xing stream size off by more than 1%, fuzzy seeking\n",
    b"[src/libmpg123/layer3.c:III_get_side_info():202] error: big_values too large!\n",
]


def test_notes_are_kept_back_and_all_else_passes(capfd):
    with hushed():
        os.write(2, NOTES[0] + b"a bar\n" + NOTES[1] + NOTES[2])
        print("on stdout")
    os.write(2, b"after\n")
    out, err = capfd.readouterr()
    assert (out, err) == ("on stdout\n", "a bar\nafter\n")


def test_it_may_be_wanted_by_many_at_once(capfd):
    def work():
        for _ in range(50):
            with hushed(), hushed():
                os.write(2, NOTES[2])
            os.write(2, b"x\n")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert capfd.readouterr().err == 200 * "x\n"


def test_no_descriptor_is_left_open():
    count = len(list(Path("/dev/fd").iterdir()))
    for _ in range(20):
        with hushed():
            pass
    assert len(list(Path("/dev/fd").iterdir())) == count


def test_a_closed_standard_error_is_no_error():
    code = (
        "import os; os.close(2)\n"
        "from specnmf.audio.hushing import hushed\n"
        "with hushed(): print('done')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "done\n")
