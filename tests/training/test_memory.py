"""Memory is given back while training goes on."""

import subprocess
import sys

import pytest


def test_what_the_c_library_holds_is_given_back() -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("only GNU's C library holds memory this way")
    script = (
        "import psutil\n"
        "from hftoolkit.training.memory import give_back\n"
        "size = lambda: psutil.Process().memory_info().rss >> 20\n"
        "parts = [bytearray(100_000) for _ in range(4000)]\n"
        "last = parts[1::2]\n"  # every other one: what is between them cannot be returned from the top
        "before = size(); del parts; full = size(); give_back(); after = size()\n"
        "print(before, full, after)\n"
    )
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60).stdout
    _, full, after = map(int, told.split())
    assert after < full - 100  # MiB; 200 are unused
