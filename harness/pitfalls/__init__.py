"""The catalogue of pitfalls: races met in public registries, each as a broken and a mended program.

One family per file, one `Pitfall` each; `catalogue` lists them. The programs are ordinary code with threads: they hold
no marker, know nothing of the laboratory, and run natively as they are.
"""

from __future__ import annotations

from harness.pitfalls.catalogue import PitfallError, UnknownPitfallError, all, get  # noqa: A004 - the public name
from harness.pitfalls.pitfall import Pitfall

__all__ = ["Pitfall", "PitfallError", "UnknownPitfallError", "all", "get"]
