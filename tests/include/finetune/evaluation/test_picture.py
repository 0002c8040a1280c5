"""The picture of a comparison: well-formed, readable by eye and by screen reader, and safe to put into a page."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import example, given
from hypothesis import strategies as st

from include.finetune.evaluation.picture import POINTS, Effect, comparison_svg

CURVES = {
    "challenger": [(step, 1 + math.exp(-step / 50)) for step in range(0, 400, 5)],
    "champion": [(step, 1.1 + math.exp(-step / 40)) for step in range(0, 400, 5)],
}
EFFECTS = [
    Effect("base", 0.31, 0.27, 0.35, 0.01, "better"),
    Effect("champion", 0.034, 0.012, 0.055, 0.01, "promoted"),
]
SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg: str, kind: str) -> list[ElementTree.Element]:
    return list(fromstring(svg).iter(SVG + kind))


def test_the_picture_has_a_title_and_says_in_words_what_it_shows() -> None:
    root = fromstring(comparison_svg(CURVES, EFFECTS, "Version 8"))
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert (root.get("role"), root.get("aria-labelledby")) == (
        "img",
        f"{title.get('id')} {description.get('id')}",
    )
    assert title.text == "Version 8"
    assert description.text == (
        "challenger: loss from 2.000 to 1.000 in 395 steps. champion: loss from 2.100 to 1.100 in 395 steps. "
        "Against base: +0.310 nats per token, interval +0.270 to +0.350, needed above 0.01; better. "
        "Against champion: +0.034 nats per token, interval +0.012 to +0.055, needed above 0.01; promoted."
    )


def test_there_is_a_line_a_curve_and_a_dot_an_effect_and_lines_differ_by_more_than_colour() -> None:
    svg = comparison_svg(CURVES, EFFECTS)
    assert len({line.get("stroke-dasharray") for line in drawn(svg, "polyline")}) == 2
    assert len(drawn(svg, "circle")) == 2


def test_a_better_effect_stands_further_right_and_inside_its_bar() -> None:
    svg = comparison_svg({}, EFFECTS)
    dots = [float(dot.get("cx", "")) for dot in drawn(svg, "circle")]
    bars = [
        (float(bar.get("x1", "")), float(bar.get("x2", "")))
        for bar in drawn(svg, "line")
        if bar.get("class") == "bar"
    ]
    assert dots[0] > dots[1]
    assert all(low < dot < high for dot, (low, high) in zip(dots, bars, strict=True))


def test_names_cannot_break_out_of_the_picture() -> None:
    svg = comparison_svg({"<script>&": [(0, 1), (1, 2)]}, [Effect("</svg>", 0.1)], "<b>")
    assert "<script>" not in svg
    assert svg.count("</svg>") == 1
    assert "<script>&" in "".join(fromstring(svg).itertext())


def test_two_pictures_on_one_page_share_no_id() -> None:
    one, two = (fromstring(comparison_svg(CURVES, EFFECTS, title)) for title in ("one", "two"))
    ids = [element.get("id") for root in (one, two) for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids)) == 4


def test_a_long_curve_is_thinned_and_keeps_its_last_point() -> None:
    svg = comparison_svg({"loss": [(step, step * 2.0) for step in range(10_001)]})
    points = drawn(svg, "polyline")[0].get("points", "").split()
    assert len(points) <= POINTS + 1
    assert "loss: loss from 0.000 to 20000.000 in 10000 steps." in svg


def test_what_is_not_finite_is_left_out_and_said() -> None:
    svg = comparison_svg(
        {"loss": [(0, 2), (1, math.nan), (2, 1)], "gone": [(0, math.nan)]}, [Effect("champion", None)]
    )
    assert len(drawn(svg, "polyline")) == 1
    assert "Against champion: no finite loss; not comparable." in svg
    assert "nan" not in svg


def test_light_and_dark_have_colours_of_their_own() -> None:
    assert "@media (prefers-color-scheme:dark){svg.cmp{--bg:" in comparison_svg({})


def test_it_needs_no_network_and_nothing_but_the_standard_library() -> None:
    svg = comparison_svg(CURVES, EFFECTS)
    assert svg.count("http") == svg.count('xmlns="http://www.w3.org/2000/svg"')
    for file in (Path(__file__).parents[4] / "include/finetune/evaluation").glob("*.py"):
        assert "include." not in file.read_text()


FINITE = st.floats(-1e9, 1e9)


@pytest.mark.filterwarnings("error")
@example(curve=[(0.0, 0.0), (5e-324, 5e-324)], ends=[None] * 4, name="tiny")
@example(curve=[(-1.7e308, -1.7e308), (1.7e308, 1.7e308)], ends=[None] * 4, name="huge")
@given(
    curve=st.lists(st.tuples(st.floats(), st.floats())),
    ends=st.lists(st.none() | FINITE, min_size=4, max_size=4),
    name=st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")
    ),
)
def test_whatever_the_figures_the_picture_is_well_formed(
    curve: list[tuple[float, float]], ends: list[float | None], name: str
) -> None:
    svg = comparison_svg({name: curve}, [Effect(name, ends[0], ends[1], ends[2], ends[3])], name)
    assert fromstring(svg).tag == f"{SVG}svg"
