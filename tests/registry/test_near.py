from __future__ import annotations

import pytest

from harness.registry.near import near_matches

pytestmark = pytest.mark.portable


def test_the_nearest_names_come_first():
    assert near_matches("mials", ["search", "mail", "mails"]) == ("mails", "mail")


def test_a_strange_name_has_no_near_match():
    assert near_matches("mial", ["search"]) == ()
    assert near_matches("", ["search"]) == ()


def test_a_large_collection_is_searched_by_length_and_first_letter():
    known = [f"p{number}" for number in range(50_000)]

    assert near_matches("mial", [*known, "mail"]) == ("mail",)
