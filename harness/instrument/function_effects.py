"""What functions that are not rewritten do to their arguments: nothing, read them, look through them, or write one.

A call of any other function that is not rewritten is opaque: it counts as reading and writing every mutable object it
can reach. Assuming too much costs a scheduling point and a weaker verdict, assuming too little costs a missed race; so
a function stands here only when its documentation says what it does, in every supported version.
"""

from __future__ import annotations

import atexit
import bisect
import builtins
import collections
import contextlib
import copy
import dataclasses
import difflib
import functools
import heapq
import inspect
import itertools
import json
import logging
import math
import operator
import os
import pickle
import pprint
import textwrap
import types
import weakref
from array import array
from collections.abc import Callable, Iterable
from concurrent import futures
from dataclasses import dataclass
from types import FunctionType
from typing import Literal

import immutables

__all__ = ["EVALUATES", "EVALUATING", "HARMLESS_BUILTINS", "HARMLESS_MODULES", "OPAQUE", "CallEffect", "call_effects"]

Depth = Literal["nothing", "whole", "pairs", "shallow", "text", "deep", "alone", "reach", "kept", "outside", "anything"]


@dataclass(frozen=True, slots=True)
class CallEffect:
    """Effect of a call.

    Attributes:
        reads: How far arguments are read: not at all; their own items (``whole``), what these consist of where they
            are no mappings (``pairs``), or attributes too (``shallow``); what they contain, however deep, as far as
            containers and generated methods go (``text``), or attributes of instances too (``deep``);
            the receiver is read and written, at more than one moment (``alone``); everything that can be reached is
            read and written (``reach``), what modules that are not instrumented keep (``kept``) or files (``outside``)
            beside, and what cannot be reached (``anything``).
        writes_first: Whether the first argument is written as well.
        calls_back: Whether code of the program may run in the middle: ``__eq__``, ``__lt__`` or ``__hash__`` of an
            item, or a function among the arguments.
    """

    reads: Depth
    writes_first: bool = False
    calls_back: bool = False


NOTHING = CallEffect("nothing")
WHOLE = CallEffect("whole")
PAIRS = CallEffect("pairs")
SHALLOW = CallEffect("shallow")
TEXT = CallEffect("text")
SCANS = CallEffect("text", calls_back=True)
DEEP = CallEffect("deep")
UPDATES = CallEffect("whole", writes_first=True)
LOGS = CallEffect("text")  # at once, with the texts of the program's own
SORTS = CallEffect("text", writes_first=True, calls_back=True)
ALONE = CallEffect("alone")
OPAQUE = CallEffect("reach")
KEEPS = CallEffect("kept")
OUTSIDE = CallEffect("outside")
EVALUATES = CallEffect("anything")

# Built-ins that run text, or code compiled from it, which nobody rewrites.
EVALUATING = frozenset({"eval", "exec"})

# Modules whose functions speak to the system, and methods of paths that do.
OUTER_MODULES = frozenset({"_io", "fileinput", "genericpath", "glob", "io", "nt", "os", "posix", "shutil", "tempfile"})
OF_PATHS = frozenset(
    {"chmod", "exists", "glob", "hardlink_to", "is_dir", "is_file", "iterdir", "lstat", "mkdir", "open", "read_bytes"}
    | {"read_text", "rename", "replace", "rglob", "rmdir", "samefile", "stat", "symlink_to", "touch", "unlink"}
    | {"walk", "write_bytes", "write_text"}
)

# Names of built-ins whose calls need no hook at all, whatever is given to them.
HARMLESS_BUILTINS = frozenset(
    {"callable", "classmethod", "globals", "id", "isinstance", "issubclass", "locals", "object", "property"}
    | {"range", "staticmethod", "super"}
    | {name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)}
)

# Modules whose functions and classes store what they are given, or make scheduling points of their own.
HARMLESS_MODULES = frozenset(
    {"_queue", "_thread", "abc", "asyncio", "concurrent.futures", "contextlib", "contextvars", "enum", "functools"}
    | {"greenlet", "inspect", "logging", "queue", "threading", "time", "types", "typing", "typing_extensions"}
    | {"warnings", "weakref"}
)

_BY_NAME: tuple[tuple[object, CallEffect, str], ...] = (
    (
        builtins,
        NOTHING,
        "callable classmethod enumerate filter globals id isinstance issubclass iter "
        "locals map object property range slice staticmethod super zip",
    ),
    (
        builtins,
        WHOLE,
        "abs bin bool bytearray bytes chr complex divmod float hex int len list memoryview oct ord "
        "next pow reversed round tuple type frozenset set",
    ),
    (builtins, PAIRS, "dict"),
    (builtins, SCANS, "all any max min sum"),
    (builtins, EVALUATES, " ".join(sorted(EVALUATING))),
    (builtins, TEXT, "ascii format hash print repr sorted str"),
    (atexit, EVALUATES, "register unregister _clear _run_exitfuncs"),
    (futures, EVALUATES, "as_completed wait"),  # they hold locks of futures, one after another
    (bisect, SCANS, "bisect bisect_left bisect_right"),
    (bisect, SORTS, "insort insort_left insort_right"),
    (collections, WHOLE, "ChainMap Counter OrderedDict UserDict UserList defaultdict deque"),
    (collections.Counter, WHOLE, "__add__ __and__ __or__ __sub__ copy elements most_common total"),
    (collections.Counter, UPDATES, "__iadd__ __iand__ __ior__ __isub__ subtract update"),
    (collections.ChainMap, TEXT, "__contains__ __getitem__ __iter__ __len__ get items keys values"),
    (contextlib, NOTHING, "ExitStack AsyncExitStack closing nullcontext suppress"),
    (contextlib, EVALUATES, "chdir redirect_stdout redirect_stderr"),
    (copy, SHALLOW, "copy"),
    (copy, DEEP, "deepcopy"),
    (dataclasses, WHOLE, "fields is_dataclass"),
    (dataclasses, DEEP, "asdict astuple replace"),
    (functools, NOTHING, "partial wraps update_wrapper cmp_to_key singledispatch lru_cache cache total_ordering"),
    (functools, SCANS, "reduce"),
    (heapq, SORTS, "heapify heappop heappush heappushpop heapreplace"),
    (heapq, SCANS, "nlargest nsmallest"),
    (heapq, NOTHING, "merge"),
    (itertools, NOTHING, "accumulate chain compress count cycle dropwhile filterfalse groupby islice pairwise repeat"),
    (itertools, NOTHING, "starmap takewhile zip_longest"),
    (itertools, WHOLE, "combinations combinations_with_replacement permutations product tee"),
    (difflib, TEXT, "get_close_matches"),
    (json, DEEP, "dumps loads"),
    (logging, EVALUATES, "basicConfig captureWarnings disable setLogRecordFactory setLoggerClass shutdown"),
    (logging.Logger, EVALUATES, "addFilter addHandler removeFilter removeHandler setLevel"),
    (logging.Handler, EVALUATES, "addFilter removeFilter setFormatter setLevel"),
    (os, NOTHING, "cpu_count fsdecode fsencode fspath getpid getppid urandom"),
    (json.JSONEncoder, DEEP, "encode"),
    (
        operator,
        SCANS,
        "add and_ concat contains countOf eq floordiv ge getitem gt index indexOf inv invert le length_hint lshift lt "
        "matmul mod mul ne neg not_ or_ pos pow rshift sub truediv truth xor",
    ),
    (operator, NOTHING, "attrgetter is_ is_not itemgetter methodcaller"),
    (
        operator,
        SORTS,
        "delitem iadd iand iconcat ifloordiv ilshift imatmul imod imul ior ipow irshift isub itruediv ixor setitem",
    ),
    (pickle, DEEP, "dumps"),
    (pprint, DEEP, "pformat pprint saferepr"),
    (types, NOTHING, "GenericAlias MappingProxyType SimpleNamespace"),
    (textwrap, WHOLE, "dedent fill indent shorten wrap"),
    (weakref, NOTHING, "WeakKeyDictionary WeakSet WeakValueDictionary finalize proxy ref"),
    (immutables, WHOLE, "Map"),
)


def call_effects() -> dict[int, tuple[object, CallEffect]]:
    """Return the effect by ``id`` of the function or class, which stands beside it so that the id stays its own."""
    found: dict[int, tuple[object, CallEffect]] = {id(array): (array, WHOLE)}
    for owner, effect, names in _BY_NAME:
        for function in _members(owner, names.split()):
            found[id(function)] = function, effect
    for module in (inspect, math):
        for name, function in vars(module).items():
            if callable(function) and not name.startswith("_"):
                found.setdefault(id(function), (function, WHOLE))
    return found


def _members(owner: object, names: Iterable[str]) -> list[Callable[..., object] | FunctionType]:
    return [getattr(owner, name) for name in names if hasattr(owner, name)]
