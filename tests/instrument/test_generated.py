"""Generated programs do the same with and without scheduling points: results, exceptions, tracebacks, order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.sim import World
from tests.instrument.passing import instrumented, make_module, observe

HEADER = """
class Box:
    def __init__(self, log, n):
        self.log, self.n = log, n
    def __getattr__(self, name):
        self.log.append(name)
        return [name]
    def __getitem__(self, key):
        self.log.append(("get", repr(key)))
        return self.n
    def __setitem__(self, key, value):
        self.log.append(("set", repr(key), repr(value)))
    def __add__(self, other):
        self.log.append("add")
        return Box(self.log, other)
    def __eq__(self, other):
        self.log.append("eq")
        return isinstance(other, Box)
    def __len__(self):
        return 2
    def __repr__(self):
        return "Box"
def note(log, value):
    log.append(repr(value))
    return value
"""
NAMES = st.sampled_from(["a", "b", "c", "items", "table", "box"])
LEAVES = st.one_of(
    NAMES,
    st.sampled_from(["0", "1", "-1", "'k'", "None", "()", "[]", "{}", "box.n", "box.other", "items[0]", "table['k']"]),
)


def compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return expressions made of others."""
    operator = st.sampled_from(["+", "*", "|", "==", "<", "!=", "in", "not in", "is", "and", "or", "%"])
    unary = st.sampled_from(["not ", "-"])
    functions = (
        "len sorted list str max dict sum tuple iter set any enumerate box items.append items.index items.extend"
    )
    call = st.sampled_from([*functions.split(), "table.get", "table.setdefault", "note(log, {})"])
    return st.one_of(
        st.tuples(inner, operator, inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]} < {parts[1]} <= {parts[2]})"),
        st.tuples(unary, inner).map(lambda parts: f"({''.join(parts)})"),
        st.tuples(call, inner).map(lambda p: p[0].format(p[1]) if "{" in p[0] else f"{p[0]}({p[1]})"),
        st.tuples(inner, inner).map(lambda parts: f"note(log, {parts[0]})[{parts[1]}]"),
        st.tuples(inner, inner).map(lambda parts: f"[{parts[0]}, *[{parts[1]}]]"),
        st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]} if {parts[1]} else {parts[2]})"),
        st.tuples(NAMES, inner, inner).map(lambda p: f"[{p[1]} for {p[0]} in [{p[2]}, 1] if {p[0]}]"),
        st.tuples(NAMES, inner).map(lambda parts: f"({parts[0]} := {parts[1]})"),
        inner.map(lambda part: f"(lambda a=1: {part})()"),
        NAMES.map(lambda name: "f'{" + name + "!r:>9}'"),
        inner.map(lambda part: f"dict(z={part}, **table)"),
    )


EXPRESSIONS = st.recursive(LEAVES, compound, max_leaves=6)
TARGETS = st.sampled_from(["a", "b", "box.n", "box.new", "items[0]", "table['k']", "note(log, box)[note(log, 'q')]"])
IN_PLACE = st.sampled_from(["+=", "*=", "|=", "-="])


def lines_of(body: list[str]) -> str:
    return "\n".join("    " + line for statement in body for line in statement.splitlines())


def indented(body: list[str]) -> str:
    return lines_of(lines_of(body).splitlines())


def nested(inner: st.SearchStrategy[list[str]]) -> st.SearchStrategy[str]:
    """Return statements that hold others."""
    return st.one_of(
        st.tuples(EXPRESSIONS, inner).map(lambda p: f"if {p[0]}:\n{lines_of(p[1])}"),
        st.tuples(NAMES, EXPRESSIONS, inner).map(lambda p: f"for {p[0]} in [{p[1]}, 2]:\n{lines_of(p[2])}"),
        st.tuples(inner, inner).map(
            lambda p: f"try:\n{lines_of(p[0])}\nexcept (TypeError, LookupError) as error:\n{lines_of(p[1])}"
        ),
        st.tuples(EXPRESSIONS, NAMES, inner).map(
            lambda p: f"match {p[0]}:\n    case [{p[1]}, *_]:\n        pass\n    case _:\n{indented(p[2])}"
        ),
    )


SIMPLE = st.one_of(
    EXPRESSIONS,
    st.tuples(TARGETS, EXPRESSIONS).map(lambda parts: f"{parts[0]} = {parts[1]}"),
    st.tuples(TARGETS, IN_PLACE, EXPRESSIONS).map(" ".join),
    st.tuples(NAMES, TARGETS, EXPRESSIONS).map(lambda p: f"{p[0]}, {p[1]} = {p[2]}"),
    st.sampled_from(["del items[0]", "del table['k']", "del box.n", "assert items", "pass"]),
)
BODIES = st.recursive(
    st.lists(SIMPLE, min_size=1, max_size=3),
    lambda inner: st.lists(st.one_of(SIMPLE, nested(inner)), min_size=1, max_size=3),
)


def program_of(body: list[str]) -> str:
    start = "    a, b, c, items, table, box = 1, [2], (3,), [1, 2], {'k': [5]}, Box(log, 3)\n"
    end = "\n    return repr((a, b, c, items, table, box.__dict__.get('n')))[:2000]\n"
    return f"{HEADER}def generated(log):\n{start}{lines_of(body)}{end}"


@settings(max_examples=25, deadline=None, derandomize=True)
@given(BODIES)
def test_generated_program_behaves_as_the_original(body):
    module = make_module(program_of(body))
    plain = observe(module.generated)

    with instrumented(module) as instrumentation:
        rewritten = observe(module.generated)
    assert instrumentation.limits == ()
    assert rewritten == plain

    in_task = []
    with World(lambda: in_task.append(observe(module.generated)), [module]) as world:
        outcome = world.execute(lambda candidates, current: candidates[0])
    assert outcome.kind == "ok"
    assert in_task == [plain]
