#!/usr/bin/env python3
"""Random correlation packs and random timelines that make them fire.

A CorrelationGenerator draws from one seeded source, as generate.py does. Base
rules overlap, so that one event may be several rules; times cluster around the
edges of the timespans in use.
"""
import collections
import json
import random

KINDS = ["a", "b", "c", "d"]
GROUP_FIELDS = ["Host", "User", "n.ip", "Class", "list"]
VALUE_FIELDS = ["Bytes", "Port", "n.size", "Class"]
SPANS = [("1s", 1), ("2s", 2), ("5s", 5), ("10s", 10), ("1m", 60)]
TYPES = ["event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg", "value_percentile", "value_median"]
NUMBERS = [0, 1, 2, 3, -1, -4, 7, 10, 0.5, 0.25, -1.5, 1e3, "5", "12", "1e1", "0.5", "x", "", " 3", None, True, 2**53 + 1, -(2**63), 2**64 - 1,
           [4, 9], [], {"k": 1}, "@huge"]
HUGE = '-1e400'  # no double holds it: stands for "@huge" in a line
START = 1_700_000_000 * 10**9


def stamp(ns, style):
    """A time in nanoseconds as an event may write it."""
    import datetime
    whole, part = divmod(ns, 10**9)
    t = datetime.datetime.fromtimestamp(whole, datetime.timezone.utc)
    if style == "epoch":
        return ns
    if style == "epoch-text":
        return str(ns)
    if style == "zone":
        t += datetime.timedelta(hours=2)
        return t.strftime("%Y-%m-%dT%H:%M:%S") + ".%09d+02:00" % part
    sep, end = (" ", "") if style == "space" else ("T", "Z")
    text = t.strftime("%Y-%m-%d" + sep + "%H:%M:%S")
    return text + (".%09d" % part if part else "") + end


class CorrelationGenerator:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.used = collections.Counter()

    def use(self, name):
        self.used[name] += 1

    # -------- documents -----------------------------------------------------

    def rule(self, i):
        r = self.r
        kinds = r.sample(KINDS, r.choice([1, 1, 2, 3]))
        doc = {"title": "rule r%d" % i, "id": "id-r%d" % i, "name": "r%d" % i, "logsource": {"product": "test_prod", "category": "c%d" % (i % 2)},
               "detection": {"one": {"Kind": kinds[:1]}, "two": {"Kind": kinds[1:] or ["none"]}, "condition": "one or two"}}
        if r.random() < 0.3:
            self.use("derive")
            branches = {"one": "A"}
            if r.random() < 0.6:
                branches["two"] = r.choice(["A", "B"])
            if r.random() < 0.3:
                branches["default"] = "D"
            doc["sigcc"] = {"derive": {"Class": branches}}
        if r.random() < 0.15:
            self.use("generate:rule")
            doc["generate"] = True
        return doc

    def threshold(self, kind, count):
        r = self.r
        if kind in ("temporal", "temporal_ordered"):
            return r.choice([1, 2, count, count, max(count - 1, 0)])
        if kind in ("event_count", "value_count"):
            return r.choice([1, 2, 2, 3, 3, 4, 2.5, 0])
        return r.choice([0, 1, 2, 5, 10, 2.5, 0.75, -1, 100, 2**53, 1e18])

    def criteria(self, kind, count):
        r = self.r
        ops = [r.choice(["gte"] * 4 + ["gt", "lt", "lte", "eq", "neq"])]
        if r.random() < 0.2:
            self.use("range")
            ops = [r.choice(["gt", "gte"]), r.choice(["lt", "lte", "neq"])]
        for op in ops:
            self.use("op:" + op)
        return {op: self.threshold(kind, count) for op in ops}

    def expression(self, names):
        """A boolean condition that uses every name."""
        r = self.r
        parts = list(names) + ([r.choice(names)] if r.random() < 0.3 else [])
        r.shuffle(parts)
        out = None
        for p in parts:
            if r.random() < 0.35:
                self.use("expression:not")
                p = "not " + p
            if out is None:
                out = p
            elif r.random() < 0.5:
                out = "%s %s %s" % (out, r.choice(["and", "or"]), p)
            else:
                out = "(%s) %s %s" % (out, r.choice(["and", "or"]), p)
            if r.random() < 0.1:
                out = "not (%s)" % out
        return out

    def refs(self, before):
        """Some of the documents so far, by name or id; correlations too."""
        r = self.r
        some = r.sample(before, min(len(before), r.choice([1, 2, 2, 3, 4])))
        return [d[r.choice(["name", "name", "id"])] for d in some]

    def group_by(self, refs):
        r = self.r
        keys = r.sample(GROUP_FIELDS, r.choice([0, 1, 1, 1, 2, 3]))
        self.use("group-by:%d" % len(keys))
        aliases = {}
        if r.random() < 0.3:
            self.use("alias")
            keys.append("who")
            aliases["who"] = {ref: r.choice(GROUP_FIELDS[:3]) for ref in refs if r.random() < 0.9}
            if not aliases["who"]:
                aliases = {}
        return keys, aliases

    def report(self, name, keys):
        """How search mode shows the correlation; its name is in the columns'."""
        r = self.r
        kinds = r.sample(["count", "value", "first_seen", "last_seen"], r.choice([1, 2, 3, 4, 4]))
        columns = {k: "%s %s" % (name, k) for k in kinds}
        report = {"columns": columns}
        if r.random() < 0.75:
            by = r.choice(kinds + keys)
            self.use("sort:" + (by if by in kinds else "key"))
            report["sort"] = r.choice(["", "-"]) + columns.get(by, by)
        if r.random() < 0.3:
            self.use("limit")
            report["limit"] = r.choice([1, 2, 5])
        return report

    def correlation(self, i, before):
        r = self.r
        kind = r.choice(TYPES)
        self.use("type:" + kind)
        refs = self.refs(before)
        names = {d["name"] for d in before if d["name"].startswith("c")} | {d["id"] for d in before if d["name"].startswith("c")}
        if names & set(refs):
            self.use("chain")
        if kind == "temporal_ordered" and r.random() < 0.25:
            self.use("twins")
            refs.append(r.choice(refs))
        keys, aliases = self.group_by(refs)
        c = {"type": kind, "rules": refs, "timespan": r.choice(SPANS)[0]}
        if keys or r.random() < 0.3:
            c["group-by"] = keys
        if aliases:
            c["aliases"] = aliases
        if kind.startswith("temporal"):
            form = r.random()
            if form < 0.35:
                self.use("condition:default")
            elif form < 0.65:
                self.use("condition:boolean")
                c["condition"] = self.expression(refs)
                if r.random() < 0.15 and len(set(refs)) == len(refs):
                    del c["rules"]
            else:
                c["condition"] = self.criteria(kind, len(refs))
        else:
            c["condition"] = self.criteria(kind, len(refs))
            if kind == "value_count":
                fields = r.sample(VALUE_FIELDS, r.choice([1, 1, 2, 3]))
                self.use("fields:%d" % len(fields))
                c["condition"]["field"] = fields if len(fields) > 1 else fields[0]
            elif kind != "event_count":
                c["condition"]["field"] = r.choice(VALUE_FIELDS[:3])
            if kind == "value_percentile":
                c["condition"]["percentile"] = r.choice([0, 1, 10, 25, 33.3, 50, 90, 99, 99.9, 100])
        doc = {"title": "corr c%d" % i, "id": "id-c%d" % i, "name": "c%d" % i, "correlation": c}
        if r.random() < 0.6:
            doc["sigcc"] = {"report": self.report(doc["name"], keys)}
        if r.random() < 0.5:
            self.use("generate:correlation")
            if r.random() < 0.5:
                doc["generate"] = True
            else:
                c["generate"] = True
        return doc

    def pack(self, correlations):
        """Documents: rules, then correlations in an order of their own."""
        docs = [self.rule(i) for i in range(self.r.choice([2, 3, 4]))]
        made = []
        for i in range(correlations):
            made.append(self.correlation(i, docs + made[-3:]))
        self.r.shuffle(made)
        return docs + made

    # -------- events --------------------------------------------------------

    def group_value(self):
        r = self.r
        p = r.random()
        if p < 0.75:
            return r.choice(["h1", "h1", "h1", "h2"])
        return r.choice(["H1", 7, "7", 7.0, 1.5, "", True, "true", None, ["h1", "h2"], [], [None, "h1"], [["h2"], 3], {"x": 1}, "\u00e9", "h\u0000", "@huge"])

    def body(self):
        r = self.r
        e = {"Kind": r.choice(KINDS) if r.random() < 0.9 else r.sample(KINDS, 2)}
        for f in ("Host", "User", "who", "list"):
            if r.random() < 0.85:
                e[f] = self.group_value()
        if r.random() < 0.85:
            e["n"] = {"ip": self.group_value(), "size": r.choice(NUMBERS[:8]) if r.random() < 0.8 else r.choice(NUMBERS)}
        if r.random() < 0.3:
            e["n.ip"] = self.group_value()
        for f in ("Bytes", "Port"):
            if r.random() < 0.9:
                e[f] = r.choice(NUMBERS[:8]) if r.random() < 0.75 else r.choice(NUMBERS)
        if r.random() < 0.3:
            e["Class"] = r.choice(["A", "B", "E", 1])
        return e

    def step(self):
        """Nanoseconds to the next event."""
        r = self.r
        p = r.random()
        if p < 0.25:
            self.use("time:equal")
            return 0
        if p < 0.45:
            self.use("time:edge")
            return r.choice(SPANS)[1] * 10**9 + r.choice([0, 0, -1, 1])
        if p < 0.85:
            return r.randint(0, 1500) * 10**6 + r.choice([0, 0, 1, 999])
        return r.randint(0, 20 * 10**9)

    def times(self, count, disorder):
        """Times of a timeline; with disorder some events come late."""
        r = self.r
        t, out = START, []
        for _ in range(count):
            if disorder and r.random() < 0.2:
                self.use("time:late")
                out.append(t - abs(self.step()))
                continue
            t += self.step()
            out.append(t)
        return out

    def put_time(self, event, ns, broken=True):
        """Write the event's time in one of the usual ways, or badly."""
        r = self.r
        style = r.choice(["plain", "plain", "plain", "zone", "space", "epoch", "epoch-text"])
        text = stamp(ns, style)
        if broken and r.random() < 0.05:
            self.use("time:unreadable")
            event[r.choice(["@timestamp", "time"])] = r.choice(["soon", None, [], {}, True, "2024-13-01T00:00:00Z"])
            if r.random() < 0.5:
                event["ts"] = text
            return event
        if broken and r.random() < 0.03:
            self.use("time:missing")
            return event
        name = r.choice(["@timestamp", "timestamp", "UtcTime", "TimeCreated", "ts"])
        event[name] = [text] if broken and r.random() < 0.05 else text
        if r.random() < 0.1:
            event["own"] = stamp(ns + r.randint(-3, 3) * 10**9, "plain")
        return event

    def line(self, event):
        return json.dumps(event, ensure_ascii=self.r.random() < 0.5).replace('"@huge"', HUGE)

    def timeline(self, count):
        return [self.line(self.put_time(self.body(), t)) for t in self.times(count, True)]

    def pipeline(self):
        """Gives some rules a time field of their own."""
        return {"name": "own time", "priority": 10, "transformations": [{
            "id": "own", "type": "set_custom_attribute", "attribute": "sigcc.time_field", "value": "own",
            "rule_conditions": [{"type": "logsource", "category": "c1"}]}]}
