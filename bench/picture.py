"""A picture of the figures: bars on a logarithmic scale, as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from bench.report import short

WIDTH, LABELS, MARGIN = 860, 190, 60  # pixels: the picture, the names on its left, the values on its right
LINE, BAR = 22, 14  # pixels of a row, and of its bar
OURS, THEIRS = "#0f766e", "#94a3b8"
STYLE = "text{font:12px system-ui,sans-serif;fill:#1e293b} .title{font-weight:600} .axis{fill:#64748b}"


@dataclass(frozen=True)
class Bar:
    """One arm of one load: the median and the spread."""

    label: str
    low: float
    middle: float
    high: float
    is_ours: bool


def picture(groups: Sequence[tuple[str, Sequence[Bar]]], unit: str) -> str:
    """An SVG with a title and bars for each group."""
    scale = _Scale([bar for _, bars in groups for bar in bars])
    parts, top = [], 10
    for title, bars in groups:
        top += LINE + 8
        parts.append(_text(12, top - 8, title, "title"))
        for bar in bars:
            parts.append(_bar(bar, top, scale, unit))
            top += LINE
    axis = _axis(scale, top, unit)
    height = top + 34
    frame = f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}">'
    return "\n".join([head, f"<style>{STYLE}</style>", frame, *axis, *parts, "</svg>"]) + "\n"


class _Scale:
    """Where a value lies, from the power of ten below all to the one above all."""

    def __init__(self, bars: Sequence[Bar]) -> None:
        positive = [value for bar in bars for value in (bar.low, bar.high) if value > 0]
        self.lowest = math.floor(math.log10(min(positive, default=1)))
        self.highest = max(self.lowest + 1, math.ceil(math.log10(max(positive, default=10))))

    def x(self, value: float) -> float:
        exponent = max(self.lowest, math.log10(value)) if value > 0 else self.lowest
        share = (exponent - self.lowest) / (self.highest - self.lowest)
        return LABELS + share * (WIDTH - LABELS - MARGIN)


def _bar(bar: Bar, top: int, scale: _Scale, unit: str) -> str:
    x, middle = scale.x(bar.middle), top + BAR / 2
    colour = OURS if bar.is_ours else THEIRS
    width = max(1.0, x - LABELS)
    parts = [
        _text(LABELS - 8, middle + 4, bar.label, anchor="end"),
        f'<rect x="{LABELS}" y="{top}" width="{width:.1f}" height="{BAR}" rx="2" fill="{colour}"/>',
    ]
    low, high = scale.x(bar.low), scale.x(bar.high)
    if high - low > 1:
        parts.append(f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="#1e293b" stroke-width="1.5"/>')
    parts.append(_text(max(x, high) + 6, middle + 4, f"{short(bar.middle)} {unit}"))
    return "".join(parts)


def _axis(scale: _Scale, bottom: int, unit: str) -> list[str]:
    parts = []
    for exponent in range(scale.lowest, scale.highest + 1):
        x = scale.x(10.0**exponent)
        parts.append(f'<path d="M{x:.1f} 14V{bottom}" stroke="#e2e8f0"/>')
        parts.append(_text(x, bottom + 18, f"{10.0**exponent:,g} {unit}", "axis", "middle"))
    return parts


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{named}>{escape(text)}</text>'
