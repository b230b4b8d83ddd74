"""Functions of every shape that has to be found and matched."""

# ruff: noqa: E731 - lambdas with a name are one of the shapes

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType


def plain(o):
    return o.x


def traced(function: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(function)
    def wrapper(*args: object) -> object:
        wrapper.calls += 1
        return function(*args)

    wrapper.calls = 0
    return wrapper


@traced
@traced
def decorated(o):
    return o.x


@functools.lru_cache
def cached(o):
    return o.x


@functools.singledispatch
def dispatched(o):
    return o.x


@dispatched.register
def _(o: int):
    return o.real


class Thing:
    def method(self):
        return self.x

    @property
    def value(self):
        return self.x

    @value.setter
    def value(self, new):
        self.x = new

    @staticmethod
    def static(o):
        return o.x

    @classmethod
    def cls(cls):
        return cls.y

    @functools.cached_property
    def lazy(self):
        return self.x

    class Inner:
        def method(self):
            return self.x


def closure():
    n = []

    def inner(o):
        n.append(o.x)
        return n

    return inner


def generator(o):
    yield o.x


async def coroutine(o):
    return o.x


async def asynchronous_generator(o):
    yield o.x


def defaulting(o, key=lambda o: o.x):
    return key(o.y)


first, second = (lambda o: o.x), (lambda o: o.x)
named = lambda o: o.x  # one more
partial = functools.partial(lambda o, n: o.x + n, n=1)
bound = Thing().method
inner = closure()


def _function(obj: object) -> FunctionType:
    assert isinstance(obj, FunctionType)
    return obj


FUNCTIONS = {
    "plain": plain,
    "wrapper": decorated,
    "wrapped": decorated.__wrapped__,
    "wrapped twice": decorated.__wrapped__.__wrapped__,
    "cached": cached.__wrapped__,
    "dispatched": dispatched.dispatch(object),
    "registered": dispatched.dispatch(int),
    "method": Thing.method,
    "getter": Thing.value.fget,
    "setter": Thing.value.fset,
    "static method": Thing.static,
    "class method": Thing.cls.__func__,
    "cached property": Thing.__dict__["lazy"].func,
    "method of a nested class": Thing.Inner.method,
    "closure": inner,
    "maker of closures": closure,
    "generator": generator,
    "coroutine": coroutine,
    "asynchronous generator": asynchronous_generator,
    "default": defaulting.__defaults__[0],
    "first lambda of a line": first,
    "second lambda of a line": second,
    "lambda with a name": named,
    "lambda in a partial": partial.func,
    "bound method": bound.__func__,
}
assert all(map(_function, FUNCTIONS.values()))
