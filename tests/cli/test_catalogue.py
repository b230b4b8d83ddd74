from __future__ import annotations

from collections.abc import Callable

from harness import pitfalls

from .conftest import Finished

Harness = Callable[..., Finished]


def test_list_has_every_pitfall_with_family_and_title(harness: Harness) -> None:
    finished = harness("pitfalls")

    assert finished.code == 0
    for pitfall in pitfalls.all():
        row = next(line for line in finished.out.splitlines() if line.startswith(f"{pitfall.id} "))
        assert pitfall.family in row
        assert row.rstrip().endswith(pitfall.title)


def test_pitfall_is_shown_with_both_forms_diff_origin_and_lesson(harness: Harness) -> None:
    pitfall = pitfalls.get("lost-update")

    shown = harness("pitfalls", "lost-update").out

    for text in (*pitfall.sources(), pitfall.diff(), pitfall.origin, pitfall.lesson):
        assert text.strip() in shown


def test_unknown_pitfall_is_wrong_use(harness: Harness) -> None:
    finished = harness("pitfalls", "lost-updat")

    assert (finished.code, finished.out) == (2, "")
    assert "near: 'lost-update'" in finished.err
