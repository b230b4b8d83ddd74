"""Objects have numbers of their own, also after others are gone, and are not kept alive for it."""

from __future__ import annotations

import weakref

import pytest

from harness.sim import Numbering

pytestmark = pytest.mark.portable


class Thing:
    pass


def test_numbers_are_given_in_order_of_appearance():
    one, other = Thing(), []
    numbering = Numbering()

    assert [numbering.number(each) for each in (other, one, one, other)] == [0, 1, 1, 0]


def test_number_of_a_dead_object_is_not_given_again():
    numbering = Numbering()

    assert [numbering.number(Thing()) for _ in range(50)] == list(range(50))  # each lies where the one before lay


def test_object_that_can_be_referred_to_weakly_is_not_kept():
    thing, numbering = Thing(), Numbering()
    numbering.number(thing)
    watch = weakref.ref(thing)
    del thing

    assert watch() is None


def test_container_is_kept_for_its_number_until_all_is_cleared():
    numbering, thing = Numbering(), Thing()
    assert [numbering.number([thing]) for _ in range(20)] == list(range(20))

    watch = weakref.ref(thing)
    numbering.number(thing)
    del thing
    numbering.clear()

    assert watch() is None
    assert numbering.number(Thing()) == 0
