"""Which names instrumented code stores into while tasks run: attributes of any object, and globals.

An attribute that nobody stores needs no scheduling point when it is read. That includes attributes stored by the
constructor alone, as long as the constructor hands its object to nobody: what another task can see of them cannot
change any more. It excludes classes that may construct one object twice, which a ``__new__`` or a metaclass can.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.instrument.nodes import nodes_of

__all__ = ["StoredNames", "stored_names"]

_CONSTRUCTORS = frozenset({"__init__", "__post_init__", "__setstate__"})
_STORING = frozenset({"setattr", "delattr", "__setattr__", "__delattr__"})
_OF_DESCRIPTORS = frozenset({"__set__", "__delete__"})
# Bases known to construct an object once, and to leave its attributes alone.
_PLAIN_BASES = frozenset({"object", "ABC", "Exception", "Generic", "Protocol", "RuntimeError", "ValueError"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.GeneratorExp, ast.ClassDef)
_TELLING = frozenset({ast.Attribute, ast.Call, ast.ClassDef, ast.FunctionDef, ast.Global, ast.Subscript})


@dataclass(frozen=True, slots=True)
class StoredNames:
    """Names that instrumented code stores into.

    Attributes:
        names: Attributes and globals, those stored by constructors alone left out. Private names count without the
            class that the compiler puts in front.
        anything: Whether an attribute is stored under a name known only at run time.
        forced: Names stored by calls, as ``object.__setattr__`` does on frozen instances, outside constructors.
        lazy: Cached properties, which store themselves when they are first read.
        constructed: Class and attribute, of what only constructors store.
        exposed: Classes whose constructor may run on an object that others have, ``*`` for all: a subclass hands the
            object on first, or makes it otherwise.
    """

    names: frozenset[str]
    anything: bool = False
    forced: frozenset[str] = frozenset()
    lazy: frozenset[str] = frozenset()
    constructed: frozenset[tuple[str, str]] = frozenset()
    exposed: frozenset[str] = frozenset()

    def __contains__(self, name: str) -> bool:
        return self.anything or _without_class(name) in self.names

    def __or__(self, other: StoredNames) -> StoredNames:
        constructed, exposed = self.constructed | other.constructed, self.exposed | other.exposed
        names = self.names | other.names | _shared(constructed, exposed)
        forced, lazy = self.forced | other.forced, self.lazy | other.lazy
        return StoredNames(names, self.anything or other.anything, forced, lazy, constructed, exposed)

    def among(self, mentioned: frozenset[str]) -> StoredNames:
        """Return what matters to code that mentions these names alone."""
        known = mentioned.union(_without_class(name) for name in mentioned if name.startswith("_"))
        return StoredNames(self.names & known, self.anything, lazy=self.lazy & known)

    def is_forced(self, name: str) -> bool:
        """Return whether an attribute of this name may be stored on a frozen instance."""
        return self.anything or _without_class(name) in self.forced


def stored_names(code: Iterable[ast.AST]) -> StoredNames:
    """Return the names that code stores or deletes, given by its nodes in the order of the source."""
    nodes = [node for node in code if node.__class__ in _TELLING]
    constructors = _Constructors(nodes)
    constructing = constructors.stores
    names: set[str] = set()
    forced: set[str] = set()
    lazy: set[str] = set()
    anything = False
    for node in nodes:
        if isinstance(node, ast.Attribute):
            if not isinstance(node.ctx, ast.Load):
                names.update(() if node in constructing else {_without_class(node.attr)})
            anything = anything or node.attr == "__dict__"
        elif isinstance(node, ast.Global):
            names.update(node.names)
        elif isinstance(node, ast.Call):
            stored = None if node in constructing else _name_stored_by_call(node)
            anything = anything or stored == ""
            anything = anything or any(map(_is_accessor, node.args))
            forced.update({_without_class(stored)} if stored else ())
        elif isinstance(node, ast.FunctionDef) and any(map(_is_cached_property, node.decorator_list)):
            lazy.add(_without_class(node.name))
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load) and _is_globals(node.value):
            names.update({str(node.slice.value)} if isinstance(node.slice, ast.Constant) else ())
    constructed = frozenset(constructing.values())
    exposed = frozenset(constructors.exposed)
    names |= forced | lazy | _shared(constructed, exposed)
    return StoredNames(frozenset(names), anything, frozenset(forced), frozenset(lazy), constructed, exposed)


def _shared(constructed: frozenset[tuple[str, str]], exposed: frozenset[str]) -> frozenset[str]:
    """Return the attributes of those classes that are exposed."""
    return frozenset(name for cls, name in constructed if cls in exposed or "*" in exposed)


# Constructors


class _Constructors:
    """What the constructors of a module store into objects that nobody else has. Confined."""

    def __init__(self, nodes: Iterable[ast.AST]) -> None:
        self.stores: dict[ast.AST, tuple[str, str]] = {}  # where -> class and attribute
        self.exposed: set[str] = set()
        # Classes that make a new object each time and keep it until it is done, with the names that are no methods.
        self._known: dict[str, set[str]] = {}
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                self._add(node)
            elif isinstance(node, ast.Call) and _is_explicit(node):
                self.exposed.add("*")

    def _add(self, node: ast.ClassDef) -> None:
        constructors = [
            _Constructor(part) for part in node.body if isinstance(part, ast.FunctionDef) and part.name in _CONSTRUCTORS
        ]
        bases = _names_of_bases(node)
        fields = _fields(node).union(*(self._known.get(base, ()) for base in bases))
        stored = {name for constructor in constructors for _, name in constructor.stores}
        if not self._constructs_once(node, bases, stored) or any(c.gives_itself_away(fields) for c in constructors):
            self.exposed.update(bases)
            return
        self._known[node.name] = fields
        for constructor in constructors:
            self.stores.update((store, (node.name, name)) for store, name in constructor.stores)

    def _constructs_once(self, node: ast.ClassDef, bases: list[str], stored: set[str]) -> bool:
        """Return whether a class makes a new object each time it is called, and stores plain attributes."""
        functions = [part for part in node.body if isinstance(part, _FUNCTIONS[:2])]
        if node.keywords or any(part.name in ("__new__", "__setattr__") for part in functions):
            return False
        descriptors = {part.name for part in functions if part.decorator_list} | _names_made(node)
        return not descriptors & stored and all(base in _PLAIN_BASES or base in self._known for base in bases)


class _Constructor:
    """One constructor: what it calls its object, and what it stores there. Confined.

    Attributes:
        own: Name of the object; the empty string where it may be called otherwise as well.
        stores: Where it stores, and which attribute.
    """

    def __init__(self, node: ast.FunctionDef) -> None:
        self._nodes = nodes_of(node)
        arguments = [*node.args.posonlyargs, *node.args.args]
        own = arguments[0].arg if arguments and not node.decorator_list else ""
        self._names = [part for part in self._nodes if isinstance(part, ast.Name) and part.id == own]
        self.own = own if all(isinstance(name.ctx, ast.Load) for name in self._names) else ""
        self.stores = list(self._own_stores()) if self.own else []

    def _own_stores(self) -> Iterator[tuple[ast.AST, str]]:
        for node in self._nodes:
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == self.own:
                if isinstance(node.ctx, ast.Store):
                    yield node, _without_class(node.attr)
            elif (
                isinstance(node, ast.Call) and _is_forced_store(node, self.own) and (name := _name_stored_by_call(node))
            ):
                yield node, name

    def gives_itself_away(self, fields: set[str]) -> bool:
        """Return whether somebody else may have the object before its constructor is done."""
        stored = fields.union(name for _, name in self.stores)
        harmless: set[ast.AST] = set()
        for node in self._nodes[1:]:
            if isinstance(node, (ast.Lambda, *_FUNCTIONS)):
                return True  # it may be called any time
            if isinstance(node, ast.Call) and _is_forced_store(node, self.own):
                harmless.add(node.args[0])
            # What is read may be a method, bound to the object, unless the constructor has stored it.
            if isinstance(node, ast.Attribute) and (isinstance(node.ctx, ast.Store) or node.attr in stored):
                harmless.add(node.value)
        calls_others = any(map(_is_other_method_of_super, self._nodes))
        return not self.own or calls_others or any(name not in harmless for name in self._names)


def _names_of_bases(node: ast.ClassDef) -> list[str]:
    bases = [base.value if isinstance(base, ast.Subscript) else base for base in node.bases]
    return [base.id if isinstance(base, ast.Name) else getattr(base, "attr", "*") for base in bases]


def _fields(node: ast.ClassDef) -> set[str]:
    """Return the names that are annotated in a class, as the fields of a dataclass are."""
    annotated = [part.target for part in node.body if isinstance(part, ast.AnnAssign)]
    return {target.id for target in annotated if isinstance(target, ast.Name)}


def _names_made(node: ast.ClassDef) -> set[str]:
    """Return the class attributes that may be descriptors."""
    targets = [
        target
        for part in node.body
        if isinstance(part, (ast.Assign, ast.AnnAssign)) and not isinstance(part.value, (ast.Constant, type(None)))
        for target in (part.targets if isinstance(part, ast.Assign) else [part.target])
    ]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _is_explicit(node: ast.Call) -> bool:
    """Return whether a call constructs an object anew, other than by ``super``."""
    function = node.func
    if not isinstance(function, ast.Attribute) or function.attr not in _CONSTRUCTORS:
        return False
    made_by = function.value.func if isinstance(function.value, ast.Call) else None
    return not (isinstance(made_by, ast.Name) and made_by.id == "super")


def _is_other_method_of_super(node: ast.AST) -> bool:
    is_attribute = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Call)
    if not is_attribute:
        return False
    assert isinstance(node, ast.Attribute)
    assert isinstance(node.value, ast.Call)
    is_super = isinstance(node.value.func, ast.Name) and node.value.func.id == "super"
    return is_super and node.attr not in (*_CONSTRUCTORS, "__setattr__")


def _is_forced_store(node: ast.Call, own: str) -> bool:
    is_store = isinstance(node.func, ast.Attribute) and node.func.attr == "__setattr__" and bool(node.args)
    return is_store and isinstance(node.args[0], ast.Name) and node.args[0].id == own


# Stores of other kinds


def _is_cached_property(node: ast.expr) -> bool:
    return (node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")) == "cached_property"


def _is_accessor(argument: ast.expr) -> bool:
    """Return whether an argument is a function that stores attributes, to be called by others."""
    return isinstance(argument, (ast.Name, ast.Attribute)) and _name_of(argument) in _STORING


def _name_of(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def _is_globals(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "globals"


def _without_class(name: str) -> str:
    """Return ``__x`` for a private name that the compiler turned into ``_C__x``, other names as they are."""
    is_private = name.startswith("_") and not name.startswith("__") and not name.endswith("__")
    position = name.find("__", 1) if is_private else -1
    return name[position:] if position > 0 else name


def _name_stored_by_call(node: ast.Call) -> str | None:
    """Return the attribute a ``setattr``-like call stores, the empty string when unknown, ``None`` for other calls."""
    function = node.func
    called = function.id if isinstance(function, ast.Name) else getattr(function, "attr", None)
    if called in {"vars", "globals"}:
        return ""
    if called in _OF_DESCRIPTORS and isinstance(function, ast.Attribute):  # the descriptor is named as its attribute
        return function.value.attr if isinstance(function.value, ast.Attribute) else ""
    if called not in _STORING or len(node.args) < 2:
        return None
    name = node.args[0] if len(node.args) == 2 and called == "__setattr__" else node.args[1]
    return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else ""
