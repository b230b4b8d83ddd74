from __future__ import annotations

from harness.views.strokes import arrowhead, line_path, on_curve, stroke_of


def test_route_alternates_curves_and_straight_parts() -> None:
    assert line_path([(0, 0), (40, 10), (90, 10), (130, 30)]) == "M0 0C20 0 20 10 40 10H90C110 10 110 30 130 30"


def test_route_inside_a_column_bows_to_the_left() -> None:
    assert line_path([(50, 10), (50, 26)]) == "M50 10C34 10 34 26 50 26"


def test_head_points_away_from_where_the_line_comes_from() -> None:
    assert 'points="9,5 3,2 3,8"' in arrowhead((0, 0), (9, 5), "#000000")
    assert 'points="9,5 15,2 15,8"' in arrowhead((40, 0), (9, 5), "#000000")


def test_points_on_a_curve_run_from_its_start_to_its_end() -> None:
    assert [on_curve((0, 0), (40, 10), share) for share in (0, 0.5, 1)] == [(0, 0), (20, 5), (40, 10)]


def test_supply_delegation_and_use_differ_in_dash_and_colour() -> None:
    strokes = [stroke_of(relation) for relation in ("model", "delegate", "plugin")]

    assert len({stroke.dash for stroke in strokes}) == len({stroke.colour for stroke in strokes}) == 3
