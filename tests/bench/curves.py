"""What the charts show: how the cost of an event grows with rules, bytes and matches."""
import json
import random

import hostile
import plot
from measure import in_turn, medians, warm
from workload import process_event

CURVES = {}

RULE = """title: Download by Certutil
logsource: {category: process_creation, product: windows}
detection:
  s: {CommandLine|contains: ['urlcache', 'verifyctl']}
  condition: s
level: low
"""


def curve(name):
    def add(fn):
        CURVES[name] = fn
        return fn
    return add


def cost(commands, events, rounds, empty):
    """ns an event of each command, without its start on empty input."""
    times = medians(in_turn(commands, rounds))
    start = medians(in_turn(empty, rounds)) if empty else {}
    return {name: max(1.0, (t - start.get(name, 0)) / events[name] * 1e9) for name, t in times.items()}


@curve("rules")
def by_rules(w, rounds):
    counts = [1, 10, 100, None] if w.quick else [1, 10, 100, 1000, None]
    sizes = {c: c or len(w.rule_files) for c in counts}
    series = {}
    for what, path in ((w.windows_name, w.windows), ("process creations", w.processes)):
        events = warm(path)[1]
        commands = {c: [w.pack(c), "-f", "ndjson", path] for c in counts}
        ns = cost(commands, dict.fromkeys(counts, events), rounds, {c: [w.pack(c)] for c in counts})
        series[what] = [(sizes[c], ns[c]) for c in counts]
    return plot.chart("Cost of an event by the number of rules", "rules in the detector (%s)" % w.collection, "ns an event, one core", series), series


@curve("size")
def by_size(w, rounds):
    sizes, series = [400, 1000, 3000, 10000, 30000, 100000], {}
    for what, detector in (("one rule", w.one), ("pack", w.pack())):
        commands, events, real = {}, {}, {}
        for size in sizes:
            line = hostile.dumps(hostile.ordinary(size))
            path = w.write("size-%d.ndjson" % size, [line], 2e6 if w.quick else 2e7)
            real[size], events[size] = len(line), warm(path)[1]
            commands[size] = [detector, "-f", "ndjson", path]
        ns = cost(commands, events, rounds, dict.fromkeys(sizes, [detector]))
        series[what] = [(real[s], ns[s]) for s in sizes]
    return plot.chart("Cost of an event by its size", "bytes of the event", "ns an event, one core", series), series


@curve("matches")
def by_matches(w, rounds):
    path = w.path("certutil.yml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(RULE)
    detector, shares = w.build("certutil", path), [0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1]
    series, commands, events = {}, {}, {}
    for share in shares:
        r = random.Random(7)
        lines = [json.dumps(process_event(r, n, **({"CommandLine": "certutil -urlcache -f http://x/a"} if r.random() < share else {})),
                            separators=(",", ":")).encode() for n in range(2000)]
        data = w.write("share-%g.ndjson" % share, lines, 5e6 if w.quick else 5e7)
        events[share] = warm(data)[1]
        commands[share] = [detector, "-f", "ndjson", data]
    for what, more in (("with the event", []), ("--no-event", ["--no-event"])):
        ns = cost({s: c + more for s, c in commands.items()}, events, rounds, dict.fromkeys(shares, [detector]))
        series[what] = [(100 * s, ns[s]) for s in shares]
    return plot.chart("Cost of an event by the share that matches", "% of events that match (alerts as NDJSON)", "ns an event, one core", series,
                      log_x=False, log_y=False), series
