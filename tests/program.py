"""The program as a person runs it: words in, exit status and what is printed out.

Each run is a process of its own, forked from one that has loaded what the commands load, so that it starts in a
hundredth of a second. What a start itself does is tested where the program is started anew: `started`, and so
does a run with environment variables of its own, some of which Python reads when it starts.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from functools import cache
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parent.parent
LOADED = (
    "torch",
    "torch",
    "sympy",
    "numpy",
    "rich",
    "jinja2",
    "pygraphviz",
    "graphviz",
    "dvaec.cli.app",
    "dvaec.compiler",
)

LONGEST = 300  # seconds, beyond which a run is killed


def dvaec(
    *words: str, cwd: Path = ROOT, given: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the program, with a text on its standard input if one is given."""
    if environment:
        return started(*words, cwd=cwd, given=given, **environment)
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder) / name for name in ("in", "out", "err")]
        streams[0].write_text(given or "", encoding="utf-8")
        asked = {"words": words, "cwd": str(cwd), "env": _environment(), "streams": [str(s) for s in streams]}
        server = _server(os.getpid())
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        status = int(server.stdout.readline())
        out, err = (s.read_bytes().decode("utf-8").replace("\r\n", "\n") for s in streams[1:])
    return subprocess.CompletedProcess(["dvaec", *words], status, out, err)


def started(
    *words: str, cwd: Path = ROOT, given: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Start Python and run the program in it."""
    return subprocess.run(
        [sys.executable, "-m", "dvaec", *words],
        cwd=cwd,
        env={**_environment(), **environment},
        capture_output=True,
        input=given,
        text=True,
        encoding="utf-8",
        timeout=LONGEST,
        check=False,
    )


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1"}


@cache
def _server(_owner: int) -> subprocess.Popen[str]:
    """Start what runs are forked from, one for each process of tests; it ends with its input."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.program"],
        cwd=ROOT,
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )

    def end() -> None:
        server.communicate(timeout=60)

    atexit.register(end)
    return server


def serve() -> None:
    """Fork for every line of standard input, a run in JSON; answer with its exit status."""
    import gc
    import importlib

    for name in LOADED:
        importlib.import_module(name)
    gc.freeze()  # a collection in a fork would write to, and so copy, all that is loaded
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            _leave(_status(**json.loads(line)))
        _, state = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(state), flush=True)


def _status(words: list[str], cwd: str, env: dict[str, str], streams: list[str]) -> int:
    """Run `python -m dvaec` with these words, between these files."""
    import runpy

    signal.alarm(LONGEST)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.path[0] = cwd  # where `-m` looks first
    for number, path in enumerate(streams):
        file = os.open(path, os.O_RDWR | os.O_CREAT | (os.O_APPEND if number else 0), 0o600)
        os.dup2(file, number)
        os.close(file)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
        for number, mode in enumerate("rww")
    )
    sys.argv = ["dvaec", *words]
    try:
        runpy.run_module("dvaec", run_name="__main__", alter_sys=True)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _leave(status: int) -> NoReturn:
    """End a fork as Python ends, but for the modules, which would take longer to take apart than to load."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    serve()
