from __future__ import annotations

import pytest

from harness.registry import InvalidIdError, ModelSpec, ToolSpec
from harness.registry.ids import MAX_ID_LENGTH, check_id

pytestmark = pytest.mark.portable


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "tool id wants text that is not blank, is ''; name the entry"),
        (" \t", "tool id wants text that is not blank, is ' \\t'; name the entry"),
        (7, "tool id wants text that is not blank, is 7; name the entry"),
        (" mail", "tool id wants no space at its ends, is ' mail'; strip it"),
        ("mail\n", "tool id wants no space at its ends, is 'mail\\n'; strip it"),
        ("ma\x07il", "tool id wants no control or invisible character, has U+0007 in 'ma\\x07il'; take it out"),
        ("ma\u200bil", "tool id wants no control or invisible character, has U+200B in 'ma\\u200bil'; take it out"),
        ("ma\u202eil", "tool id wants no control or invisible character, has U+202E in 'ma\\u202eil'; take it out"),
        ("ma\ud800il", "tool id wants no control or invisible character, has U+D800 in 'ma\\ud800il'; take it out"),
        ("cafe\u0301", "tool id wants composed Unicode (NFC), is 'cafe\\u0301'; write it 'caf\\xe9'"),
        ("<b>mail</b>", "tool id wants no < and no >, is '<b>mail</b>'; leave out what looks like a tag"),
        ("x" * 300, f"tool id wants at most 256 characters, has 300: {'x' * 40!r}…; shorten it"),
    ],
)
def test_what_may_not_be_an_id_is_refused(value, message):
    # awaken R13, B6, C14
    with pytest.raises(InvalidIdError) as caught:
        ToolSpec(value)

    assert str(caught.value) == message


@pytest.mark.parametrize("value", ["mail", "a b", "café", "模型", "1024-x-1024/50-steps/amazon:0", "x" * MAX_ID_LENGTH])
def test_what_may_be_an_id_is_given_back(value):
    assert check_id("id", value) is value


def test_the_same_rule_holds_for_references():
    with pytest.raises(InvalidIdError, match="provider_id wants no space at its ends"):
        ModelSpec("m", "p ")
