"""How long a command is silent when the hub cannot be reached: ours, and transformers by itself, as whole processes.

    python benchmarks/unreachable.py [--json FILE]

Three hubs: one that accepts and never answers, one at which nobody listens, one whose name does not exist. Then the
same command of ours with the model in the cache, at the silent one: it must not ask.
"""

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

NAME = "acme/opus-mt-en-zh"
OURS = [sys.executable, "-m", "hftoolkit", "translate", "--model", NAME, "Good night!"]
THEIRS = [sys.executable, "-c", f"from transformers import AutoTokenizer; AutoTokenizer.from_pretrained({NAME!r})"]
LONGEST = 120
"""Seconds after which a process is ended."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with closing(socket.create_server(("127.0.0.1", 0), backlog=50)) as silent, closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        hubs = {
            "silent": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "nobody listens": f"http://127.0.0.1:{nobody.getsockname()[1]}",
            "no such name": "https://hub.invalid",
        }
        results = [
            {"hub": name, "who": who, **timed(command, address)}
            for name, address in hubs.items()
            for who, command in (("hftoolkit", OURS), ("transformers", THEIRS))
        ]
        results.append({"hub": "silent", "who": "hftoolkit, model in the cache", **cached(hubs["silent"])})
    for row in results:
        print(f"{row['hub']:15}  {row['who']:30} {row['seconds']:6.1f} s  {row['said']}")
    if arguments.json:
        machine = {"machine": platform.processor() or platform.machine(), "transformers": version("transformers")}
        arguments.json.write_text(json.dumps({**machine, "runs": results}, indent=1) + "\n", encoding="utf-8")


def timed(command: list[str], address: str, home: str | None = None) -> dict[str, object]:
    """Seconds from start to end with an empty home, and the last line but the advice."""
    with tempfile.TemporaryDirectory() as empty:
        environment = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": home or empty, "HFTOOLKIT_CACHE": home or empty}
        for key in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
            environment.pop(key, None)
        begin = time.perf_counter()
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONGEST)
            said = (done.stdout or next((line for line in done.stderr.splitlines() if "rror" in line), "")).strip()
        except subprocess.TimeoutExpired:
            said = f"ended after {LONGEST} s"
        return {"seconds": round(time.perf_counter() - begin, 2), "said": said.replace(address, "HUB")[:120]}


def cached(address: str) -> dict[str, object]:
    """The built-in model as if it were one of the hub, in a cache that has been used before."""
    from hftoolkit import hub

    with tempfile.TemporaryDirectory() as home:
        repository = Path(home) / "hub" / f"models--{NAME.replace('/', '--')}"
        snapshot = repository / "snapshots" / ("0" * 40)
        snapshot.mkdir(parents=True)
        for file in hub.resolve(hub.BUILTIN).iterdir():
            (snapshot / file.name).write_bytes(file.read_bytes())
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text("0" * 40, encoding="utf-8")
        timed(OURS, address, home)  # converts it for the fast engine
        return timed(OURS, address, home)


if __name__ == "__main__":
    main()
