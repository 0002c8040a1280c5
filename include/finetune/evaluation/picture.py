"""A comparison of models as one SVG: the loss curves, and each effect with its interval."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH, CURVES, ROW, LEFT = 720, 220, 54, 70
# Width of a letter at this size, about.
LETTER: Final = 7.5
DASHES: Final = ("", "7 4", "2 4", "10 3 2 3")
# Points of a curve that are drawn at most.
POINTS: Final = 300
# What is beyond it is no loss, but would make the axis of all others; what is not finite is beyond it, too.
LARGEST: Final = 1e15
STYLE: Final = (
    "svg.cmp{--bg:#fff;--ink:#1f2328;--soft:#59636e;--grid:#d1d9e0;--a:#0550ae;--b:#a04100;--c:#116329;--d:#6639ba;"
    "font:13px system-ui,sans-serif;max-width:100%;height:auto}"
    "@media (prefers-color-scheme:dark){svg.cmp{--bg:#0d1117;--ink:#f0f6fc;--soft:#9198a1;--grid:#3d444d;--a:#79c0ff;"
    "--b:#ffa657;--c:#7ee787;--d:#d2a8ff}}"
    ".cmp text{fill:var(--ink);paint-order:stroke;stroke:var(--bg);stroke-width:4px}"
    ".cmp .soft{fill:var(--soft)}.cmp .grid{stroke:var(--grid)}.cmp .head{font-weight:600}"
    ".cmp .line{fill:none;stroke-width:2}.cmp .bar{stroke:var(--a);stroke-width:3}.cmp .dot{fill:var(--a)}"
    ".cmp .need{stroke:var(--b);stroke-width:2;stroke-dasharray:4 3}"
)


@dataclass(frozen=True)
class Effect:
    """A challenger against one other model, in nats per token; above 0 the challenger is better."""

    # Name of the other model.
    against: str
    # The difference; None if it is not finite.
    effect: float | None
    # Lower end of its interval, None if there is none.
    low: float | None = None
    # Upper end.
    high: float | None = None
    # What ``low`` must be above; None where nothing depends on it.
    needed: float | None = None
    # A word or two, such as "promoted".
    outcome: str = ""


Curve = Sequence[tuple[float, float]]


def comparison_svg(
    curves: Mapping[str, Curve], effects: Sequence[Effect] = (), title: str = "Comparison"
) -> str:
    """An SVG to show inline, as an image or as an artifact; with its own light and dark colours.

    Args:
        curves: name -> (step, loss); points that are not finite are left out.
        effects: comparisons, one below the other.
        title: also read out by screen readers, before a description in words.
    """
    lines = {name: _points(curve) for name, curve in curves.items()}
    shown = {name: points for name, points in lines.items() if points}
    top = 40
    parts = [*_curves(shown, top)] if shown else []
    top += CURVES + 60 if shown else 0
    parts += _effects(effects, top)
    height = top + (ROW * len(effects) + 60 if effects else 0)
    key = hashlib.sha256(repr((title, shown, effects)).encode()).hexdigest()[:8]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cmp" role="img" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" aria-labelledby="t{key} d{key}">'
        f'<title id="t{key}">{escape(title)}</title><desc id="d{key}">{escape(_words(shown, effects))}</desc>'
        f'<style>{STYLE}</style><rect width="100%" height="100%" style="fill:var(--bg)"/>{"".join(parts)}</svg>'
    )


def _points(curve: Curve) -> list[tuple[float, float]]:
    finite = [point for point in curve if all(abs(value) < LARGEST for value in point)]
    stride = max(1, math.ceil(len(finite) / POINTS))
    return finite[::stride] + (finite[-1:] if (len(finite) - 1) % stride else [])


def _words(curves: Mapping[str, Curve], effects: Sequence[Effect]) -> str:
    falls = [
        f"{name}: loss from {points[0][1]:.3f} to {points[-1][1]:.3f} in {points[-1][0]:g} steps."
        for name, points in curves.items()
    ]
    return " ".join([*falls, *(f"Against {effect.against}: {_figures(effect)}." for effect in effects)])


def _figures(effect: Effect) -> str:
    if effect.effect is None:
        return f"no finite loss; {effect.outcome or 'not comparable'}"
    ends = f", interval {_end(effect.low)} to {_end(effect.high)}"
    needed = "" if effect.needed is None else f", needed above {effect.needed:g}"
    return f"{effect.effect:+.3f} nats per token{ends}{needed}" + (
        f"; {effect.outcome}" if effect.outcome else ""
    )


def _label(effect: Effect) -> str:
    figures = "no finite loss" if effect.effect is None else f"{effect.effect:+.3f}"
    ends = "" if effect.effect is None else f" ({_end(effect.low)} to {_end(effect.high)})"
    return figures + ends + (f", {effect.outcome}" if effect.outcome else "")


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _end(value: float | None) -> str:
    return "open" if value is None else f"{value:+.3f}"


def _scale(low: float, high: float) -> tuple[float, float, list[float]]:
    """Ends and marks of an axis: a round step, four to eight of them."""
    # Divided first, and kept within what a logarithm can take: figures may differ by as little, or as much, as a float.
    raw = min(max((high / 5 - low / 5) or abs(high) / 5 or 0.2, 1e-300), 1e300)
    step = min(
        (m * 10 ** math.floor(math.log10(raw)) for m in (1, 2, 5, 10)), key=lambda size: abs(size - raw)
    )
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    return first * step, last * step, [mark * step for mark in range(first, last + 1)]


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start", style: str = "") -> str:
    look = (f' class="{kind}"' if kind else "") + (f' style="{style}"' if style else "")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{look}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str = "grid") -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def _curves(curves: Mapping[str, Curve], top: float) -> Iterator[str]:
    steps = [step for points in curves.values() for step, _ in points]
    losses = [loss for points in curves.values() for _, loss in points]
    low, high, marks = _scale(min(losses), max(losses))
    first, last, ticks = _scale(min(steps), max(steps))
    labels = [f"{_short(name, 24)} {points[-1][1]:.3f}" for name, points in curves.items()]
    right = WIDTH - 16 - LETTER * max(map(len, labels))
    yield _text(LEFT - 46, top - 16, "Loss (nats per token) by training step", "head")
    for mark in marks:
        y = top + CURVES * (high - mark) / (high - low)
        yield _line(LEFT, y, right, y) + _text(LEFT - 8, y + 4, f"{mark:g}", "soft", "end")
    for tick in ticks:
        x = LEFT + (right - LEFT) * (tick - first) / (last - first)
        yield _text(x, top + CURVES + 18, f"{tick:g}", "soft", "middle")
    ends: list[float] = []
    for number, points in enumerate(curves.values()):
        colour, dash = f"var(--{'abcd'[number % 4]})", DASHES[number % 4]
        spots = [
            (
                LEFT + (right - LEFT) * (step - first) / (last - first),
                top + CURVES * (high - loss) / (high - low),
            )
            for step, loss in points
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        yield f'<polyline points="{path}" class="line" style="stroke:{colour}" stroke-dasharray="{dash or "none"}"/>'
        ends.append(_free(spots[-1][1] + 4, ends))
        yield _text(spots[-1][0] + 6, ends[-1], labels[number], style=f"fill:{colour}")


def _free(y: float, taken: Sequence[float]) -> float:
    """The nearest place below for a label that covers no other."""
    while any(abs(y - other) < 15 for other in taken):
        y += 1
    return y


def _effects(effects: Sequence[Effect], top: float) -> Iterator[str]:
    if not effects:
        return
    ends = [0.0] + [
        value
        for effect in effects
        for value in (effect.effect, effect.low, effect.high, effect.needed)
        if value is not None and math.isfinite(value)
    ]
    low, high, marks = _scale(min(ends), max(ends))

    def at(value: float | None, instead: float) -> float:
        return LEFT + (WIDTH - 30 - LEFT) * ((instead if value is None else value) - low) / (high - low)

    needed = "; dashed: what is needed" if any(effect.needed is not None for effect in effects) else ""
    yield _text(LEFT - 46, top - 16, f"Improvement (nats per token), right of 0 is better{needed}", "head")
    bottom = top + ROW * len(effects) + 6
    for mark in marks:
        yield _line(at(mark, 0), top, at(mark, 0), bottom) + _text(
            at(mark, 0), bottom + 18, f"{mark:.4g}", "soft", "middle"
        )
    yield f'<line x1="{at(0, 0):.1f}" y1="{top}" x2="{at(0, 0):.1f}" y2="{bottom}" style="stroke:var(--ink)"/>'
    for number, effect in enumerate(effects):
        y = top + ROW * number + 36
        yield _text(LEFT - 46, y - 18, f"{_short(f'against {effect.against}', 40)}: {_label(effect)}")
        if effect.needed is not None:
            yield _line(at(effect.needed, 0), y - 10, at(effect.needed, 0), y + 10, "need")
        if effect.effect is not None:
            yield _line(at(effect.low, low), y, at(effect.high, high), y, "bar")
            yield f'<circle cx="{at(effect.effect, 0):.1f}" cy="{y}" r="5" class="dot"/>'
