"""The peer of the benchmarks, frontrun 0.7.0, in an environment that is made for one run and thrown away."""

from __future__ import annotations

import json
import subprocess
import tempfile
import venv
from pathlib import Path

__all__ = ["FRONTRUN", "peer_figures", "peer_per_second"]

FRONTRUN = "frontrun==0.7.0"


def peer_per_second(program: str) -> float | None:
    """Return frontrun's schedules per second of processor time, ``None`` where it could not be installed or run.

    Args:
        program: Source that ends by printing ``[schedules, seconds]`` as JSON.
    """
    figures = peer_figures(program)
    return figures[0] / figures[1] if figures and figures[0] else None


def peer_figures(program: str) -> list[float] | None:
    """Return the figures that a program under frontrun prints, ``None`` where it could not be installed or run.

    Args:
        program: Source that ends by printing a list of numbers as JSON.
    """
    with tempfile.TemporaryDirectory() as place:
        venv.create(place, with_pip=True)
        binaries = Path(place) / "bin"
        python, frontrun = str(binaries / "python"), str(binaries / "frontrun")
        script = Path(place) / "peer.py"
        script.write_text(program)
        try:
            subprocess.run([python, "-m", "pip", "install", "-q", FRONTRUN], check=True, capture_output=True)
            ran = subprocess.run([frontrun, python, str(script)], check=True, capture_output=True, text=True, cwd=place)
        except subprocess.CalledProcessError as error:
            print(error.stderr)
            return None
    figures: list[float] = json.loads(ran.stdout.splitlines()[-1])
    return figures
