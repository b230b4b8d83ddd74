"""Source text and syntax tree of live code, as the interpreter compiled it.

The text comes from ``linecache``, which knows files, notebook cells and whatever a loader can give. For a module that
pytest imported with assertion rewriting the tree is the one after that rewriting, because this is the one that runs.
"""

from __future__ import annotations
import __future__

import ast
import hashlib
import linecache
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, ModuleType

__all__ = ["SourceFile", "read_source"]

_EXECUTED = "<string>"  # the file of what exec makes, the methods of dataclasses among it
_FUTURE_FLAGS = 0
for _feature in __future__.all_feature_names:
    _FUTURE_FLAGS |= getattr(__future__, _feature).compiler_flag


@dataclass(frozen=True, slots=True)
class SourceFile:
    """Source of one file or notebook cell.

    Attributes:
        file: Name of the file, as code objects carry it.
        text: The whole text.
        digest: 16 hex digits, of the text alone.
        flags: Flags of ``__future__`` features that the code was compiled with.
        is_asserted: Whether pytest's assertion rewriting was applied to it.
    """

    file: str
    text: str
    digest: str
    flags: int
    is_asserted: bool

    def parse(self) -> ast.Module:
        """Return a fresh tree of the source; raises ``SyntaxError`` where the text is no longer Python."""
        with _without_warnings():
            tree = ast.parse(self.text, self.file)
        if self.is_asserted:
            rewriting = sys.modules["_pytest.assertion.rewrite"]
            rewriting.rewrite_asserts(tree, self.text.encode(), self.file, None)
        return tree

    def compile(self, tree: ast.Module) -> CodeType:
        """Compile a tree of this source as the original was compiled."""
        flags = self.flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT  # as notebook cells may; changes no function
        with _without_warnings():
            code = compile(tree, self.file, "exec", flags=flags, dont_inherit=True)
        assert isinstance(code, CodeType)
        return code


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Silence the compiler: what it warns of it said when the program was imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def read_source(code: CodeType, module: ModuleType | None) -> SourceFile | None:
    """Return the source that a code object came from, or ``None`` where there is none."""
    file = code.co_filename
    namespace = module.__dict__ if module is not None else None
    if file == _EXECUTED and (namespace is None or namespace.get("__name__") != "__main__"):
        return None  # from 3.13 on linecache knows the program of `python -c` by this name
    linecache.checkcache(file)
    lines = linecache.getlines(file, namespace)
    if not lines:
        return None
    text = "".join(lines)
    is_asserted = namespace is not None and "@pytest_ar" in namespace and namespace.get("__file__") == file
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return SourceFile(file, text, digest, code.co_flags & _FUTURE_FLAGS, is_asserted)
