"""Plots with two logarithmic axes as SVG: lines with markers, labelled at their ends, and a legend."""

import collections
import math
from xml.sax.saxutils import escape

# points: [(x, y, whether that is a success)]; short: what stands at the line's end.
Line = collections.namedtuple("Line", "label short points")
# at: its y.
Mark = collections.namedtuple("Mark", "at label")

WIDTH, HEIGHT = 860, 560
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 46, 50
LEGEND_LINE, LABEL_LINE = 17, 15
# Of different lightness as well as hue, and all of them readable on the plot's own white ground.
COLOURS = ["#0b5fff", "#555555", "#c2410c", "#15803d", "#9333ea", "#b8860b", "#be123c", "#0e7490"]
DASHES = ["", "6 4", "", "2 3", "", "8 3 2 3", "6 2", "1 2"]
# Earlier lines are wider, so that each can be seen where several lie on each other.
WIDEST, NARROWEST = 6.0, 1.6
Style = collections.namedtuple("Style", "colour dash width")
TEXT, GRID = "#1f2328", "#d8dee4"
STYLE = "font-family: system-ui, 'DejaVu Sans', Helvetica, Arial, sans-serif; font-size: 12px"


class Axis:
    """From a value to a place: the logarithms of LOW and HIGH are at BEGIN and END."""

    def __init__(self, low, high, begin, end):
        self.low, self.high, self.begin, self.end = low, high, begin, end

    def place(self, value):
        share = (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return self.begin + share * (self.end - self.begin)

    def ticks(self):
        """1, 2, 5, 10, 20 ... as far as the axis goes."""
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        values = [step * 10.0 ** power for power in powers for step in (1, 2, 5)]
        return [value for value in values if self.low <= value <= self.high]


def text(x, y, words, anchor="start", colour=TEXT, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{more}>{escape(words)}</text>'


def line(x1, y1, x2, y2, colour, more=""):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{more}/>'


def axes(x, y, counts, titles):
    made = []
    for value in counts:
        made.append(line(x.place(value), y.begin, x.place(value), y.end, GRID))
        made.append(text(x.place(value), y.begin + 18, f"{value:g}", "middle"))
    for value in y.ticks():
        made.append(line(x.begin, y.place(value), x.end, y.place(value), GRID))
        made.append(text(x.begin - 8, y.place(value) + 4, f"{value:g}", "end"))
    made.append(f'<rect x="{x.begin}" y="{y.end}" width="{x.end - x.begin}" height="{y.begin - y.end}" fill="none" stroke="{TEXT}"/>')
    made.append(text((x.begin + x.end) / 2, y.begin + 38, titles[0], "middle"))
    middle = (y.begin + y.end) / 2
    made.append(text(18, middle, titles[1], "middle", more=f' transform="rotate(-90 18 {middle:.1f})"'))
    return made


def style_of(index, count):
    width = WIDEST - (WIDEST - NARROWEST) * index / max(1, count - 1)
    return Style(COLOURS[index % len(COLOURS)], DASHES[index % len(DASHES)], width)


def marker(x, y, style, good):
    """Filled: a success; hollow: a failure."""
    return (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{2.5 + style.width / 2:.1f}" fill="{style.colour if good else "#ffffff"}" '
            f'stroke="{style.colour}" stroke-width="2"/>')


def stroke(style):
    return f' stroke="{style.colour}" stroke-width="{style.width:.1f}" fill="none"' + (f' stroke-dasharray="{style.dash}"' if style.dash else "")


def curve(points, style):
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    return [f'<polyline points="{path}"{stroke(style)}/>', *(marker(x, y, style, good) for x, y, good in points)]


def spread(heights, room):
    """The same heights, moved apart so that ROOM is between any two; the order stays."""
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    moved = dict(zip(order, (heights[i] for i in order)))
    for _ in range(200):
        for lower, upper in zip(order, order[1:]):
            lack = room - (moved[upper] - moved[lower])
            if lack > 0:
                moved[lower] -= lack / 2
                moved[upper] += lack / 2
    return [moved[i] for i in range(len(heights))]


def legend(lines, styles, top):
    made = []
    for i, (drawn, style) in enumerate(zip(lines, styles)):
        y = top + i * LEGEND_LINE
        made.append(f'<path d="M {LEFT} {y - 4} H {LEFT + 34}"{stroke(style)}/>')
        made.append(marker(LEFT + 17, y - 4, style, True))
        made.append(text(LEFT + 44, y, drawn.label))
    return made


def draw(title, titles, lines, marks=()):
    """An SVG.  TITLES: of the axes.  Points whose y is 0 cannot be shown."""
    lines = [drawn._replace(points=[p for p in drawn.points if p[1] > 0]) for drawn in lines]
    lines = [drawn for drawn in lines if drawn.points]
    counts = sorted({p[0] for drawn in lines for p in drawn.points})
    values = [p[1] for drawn in lines for p in drawn.points] + [mark.at for mark in marks]
    x = Axis(counts[0] * 0.9, counts[-1] * 1.12, LEFT, WIDTH - RIGHT)
    y = Axis(min(values) / 1.3, max(values) * 1.3, HEIGHT - BOTTOM, TOP)
    styles = [style_of(i, len(lines)) for i in range(len(lines))]
    whole = HEIGHT + 14 + LEGEND_LINE * (len(lines) + 1)
    body = [f'<rect width="{WIDTH}" height="{whole}" rx="6" fill="#ffffff"/>', text(LEFT, 28, title, more=' font-weight="bold" font-size="15"'),
            *axes(x, y, counts, titles)]
    for mark in marks:
        body.append(line(x.begin, y.place(mark.at), x.end, y.place(mark.at), TEXT, ' stroke-dasharray="3 3"'))
        body.append(text(x.end - 8, y.place(mark.at) + 14, mark.label, "end"))
    ends = []
    for drawn, style in zip(lines, styles):
        points = [(x.place(a), y.place(b), good) for a, b, good in drawn.points]
        body += curve(points, style)
        ends.append(points[-1][1])
    for drawn, style, height in zip(lines, styles, spread(ends, LABEL_LINE)):
        body.append(text(x.end + 8, height + 4, drawn.short, colour=style.colour))
    body += legend(lines, styles, HEIGHT + 8)
    body.append(text(LEFT, HEIGHT + 8 + LEGEND_LINE * len(lines), "A hollow point: it failed."))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {whole}" width="{WIDTH}" height="{whole}" style="{STYLE}" role="img" '
            f'aria-label="{escape(title)}">\n' + "\n".join(body) + "\n</svg>\n")
