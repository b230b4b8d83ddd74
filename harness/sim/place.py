"""Names of source files as people read them: the same on every machine.

A notebook cell is called by its prompt, ``In[3]``; a module by its path below the folder it was imported from.
"""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["shown_file"]


def shown_file(path: str) -> str:
    """Return the name to show for a file."""
    if not path or path.startswith("<"):
        return path
    return _cell_name(path) or _below_import_root(path)


def _cell_name(path: str) -> str | None:
    """Return the prompt of a notebook cell, or ``None`` for other files."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    format_name = getattr(getattr(shell, "compile", None), "format_code_name", None)
    named: tuple[str, str] | None = format_name(path) if format_name is not None else None
    return named[1] if named is not None else None


def _below_import_root(path: str) -> str:
    roots = [root for root in map(str, sys.path) if root and path.startswith(root.rstrip("/") + "/")]
    longest = max(roots, key=len, default=None)
    return path[len(longest.rstrip("/")) + 1 :] if longest is not None else Path(path).name
