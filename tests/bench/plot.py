"""Charts as SVG, written by hand: lines over logarithmic or linear axes."""
import html
import math

WIDTH, HEIGHT = 720, 430
LEFT, RIGHT, TOP, BOTTOM = 84, 150, 56, 64
COLOURS = ["#1f6fb4", "#d1661c", "#2b8a3e", "#9c36b5"]
STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #222 } .title { font-size: 16px; font-weight: 600 } .small { font-size: 12px; fill: #555 }
.grid { stroke: #ddd; stroke-width: 1 } .axis { stroke: #555; stroke-width: 1 } .page { fill: #fff }
</style>"""


class Axis:
    """From values to places between `low` and `high`, which may run backwards."""

    def __init__(self, values, low, high, log):
        self.low, self.high, self.log = low, high, log
        if log:
            self.begin, self.end = math.floor(math.log10(min(values)) + 1e-9), math.ceil(math.log10(max(values)) - 1e-9)
            self.end = max(self.end, self.begin + 1)
            self.ticks = [10.0**k for k in range(self.begin, self.end + 1)]
        else:
            self.begin, step = 0, nice_step(max(values))
            self.end = math.ceil(max(values) / step - 1e-9) * step
            self.ticks = [step * k for k in range(round(self.end / step) + 1)]

    def at(self, value):
        v = math.log10(value) if self.log else value
        return self.low + (v - self.begin) / (self.end - self.begin) * (self.high - self.low)


def nice_step(most):
    """1, 2 or 5 times a power of ten, at most six of them up to `most`."""
    power = 10.0 ** math.floor(math.log10(most or 1) - 1)
    return next(power * k for k in (1, 2, 5, 10, 20, 50, 100) if most / (power * k) <= 6)


def shown(value):
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return "%g %s" % (round(value / size, 2), unit)
    return "%g" % round(value, 3)


def apart(places, least):
    """Places moved downwards where they are closer than that."""
    out = []
    for place in places:
        out.append(max(place, out[-1] + least) if out else place)
    return out


def text(x, y, words, kind="", anchor="start", more=""):
    return '<text x="%.1f" y="%.1f" class="%s" text-anchor="%s"%s>%s</text>' % (x, y, kind, anchor, more, html.escape(words))


def chart(title, x_label, y_label, series, log_x=True, log_y=True):
    """`series` is name -> [(x, y), ...]; the text of an SVG file."""
    points = [p for line in series.values() for p in line]
    x = Axis([p[0] for p in points], LEFT, WIDTH - RIGHT, log_x)
    y = Axis([p[1] for p in points], HEIGHT - BOTTOM, TOP, log_y)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">' % (WIDTH, HEIGHT, WIDTH, HEIGHT),
           "<title>%s</title>" % html.escape(title), STYLE, '<rect class="page" width="100%" height="100%"/>', text(LEFT, 28, title, "title")]
    for tick in x.ticks:
        out.append('<line class="grid" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>' % (x.at(tick), x.at(tick), TOP, HEIGHT - BOTTOM))
        out.append(text(x.at(tick), HEIGHT - BOTTOM + 20, shown(tick), "small", "middle"))
    for tick in y.ticks:
        out.append('<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>' % (LEFT, WIDTH - RIGHT, y.at(tick), y.at(tick)))
        out.append(text(LEFT - 8, y.at(tick) + 4, shown(tick), "small", "end"))
    out.append('<path class="axis" fill="none" d="M%d %dV%dH%d"/>' % (LEFT, TOP, HEIGHT - BOTTOM, WIDTH - RIGHT))
    out.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 18, x_label, "", "middle"))
    out.append(text(0, 0, y_label, "", "middle", ' transform="translate(20 %d) rotate(-90)"' % ((TOP + HEIGHT - BOTTOM) / 2)))
    ends = sorted((y.at(line[-1][1]), name) for name, line in series.items())
    labels = dict(zip([name for _, name in ends], apart([place for place, _ in ends], 17)))
    for colour, (name, line) in zip(COLOURS, series.items()):
        path = "M" + "L".join("%.1f %.1f" % (x.at(px), y.at(py)) for px, py in line)
        out.append('<path d="%s" fill="none" stroke="%s" stroke-width="2"/>' % (path, colour))
        out += ['<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"><title>%s: %s, %s</title></circle>' %
                (x.at(px), y.at(py), colour, html.escape(name), shown(px), shown(py)) for px, py in line]
        out.append(text(WIDTH - RIGHT + 10, labels[name] + 4, name, "", "start", ' style="fill:%s"' % colour))
    return "\n".join(out + ["</svg>", ""])
