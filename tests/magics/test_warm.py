"""What is kept from the error stream, and what is not."""

from __future__ import annotations

import subprocess
import sys


def test_only_the_noise_is_kept_back() -> None:
    code = (
        "import os\n"
        "from nbkeras.magics import warm\n"
        "os.write(2, b'before\\n')\n"
        "with warm._without_noise():\n"
        "    os.write(2, b'WARNING: All log messages before absl::InitializeLog() is\\n')\n"
        "    os.write(2, b'I0000 00:00:1795.2 1 port.cc:153] oneDNN\\nW0000 x\\nmine')\n"
        "    os.write(2, b' too\\nE0000 an error\\nrest')\n"
        "os.write(2, b' after\\n')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr == "before\nmine too\nE0000 an error\nrest after\n"
