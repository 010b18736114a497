#!/usr/bin/env python3
"""Aggregations of Sigma 1 mean the correlation that the deprecation note names."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import Case, SIGCC, main, rule  # noqa: E402


class Aggregations(Case):
    def firings(self, condition, steps, timeframe="1m"):
        """Line numbers at which the rule fires; steps are (second, fields)."""
        detection = {"a": {"ev": "a"}, "b": {"ev": "b"}, "c": {"ev": "c"}, "condition": condition}
        if timeframe:
            detection["timeframe"] = timeframe
        det = self.build(self.write("r.yml", rule(detection)))
        lines = "".join(json.dumps({"@timestamp": "2026-01-01T00:%02d:%02dZ" % divmod(t, 60), **e}) + "\n" for t, e in steps)
        alerts = self.detect(det, "--every-firing", stdin=lines.encode())
        self.assertTrue(all(a["rule"]["name"] == "r" and a["type"] == "correlation" for a in alerts), alerts)
        return [(a["source"]["line"], a["value"]) for a in alerts]

    def test_count(self):
        steps = [(0, {"ev": "a"}), (10, {"ev": "a"}), (20, {"ev": "b"}), (30, {"ev": "a"}), (200, {"ev": "a"})]
        self.assertEqual(self.firings("a | count() > 2", steps), [(4, 3)])
        self.assertEqual(self.firings("(a or b) and not c | count() >= 3", steps), [(3, 3), (4, 4)])
        self.assertEqual(self.firings("a|count()<2", steps), [(1, 1), (5, 1)])

    def test_count_by_and_distinct(self):
        steps = [(0, {"ev": "a", "u": "x", "h": 1}), (1, {"ev": "a", "u": "y", "h": 1}), (2, {"ev": "a", "u": "x", "h": 2}),
                 (3, {"ev": "a", "u": "z", "h": 1})]
        self.assertEqual(self.firings("a | count() by h > 1", steps), [(2, 2), (4, 3)])
        self.assertEqual(self.firings("a | count(u) by h >= 3", steps), [(4, 3)])
        self.assertEqual(self.firings("a | count() by u, h == 1", steps), [(1, 1), (2, 1), (3, 1), (4, 1)])

    def test_arithmetic(self):
        steps = [(i, {"ev": "a", "n": n}) for i, n in enumerate([4, 10, 1])]
        self.assertEqual(self.firings("a | sum(n) > 13", steps), [(2, 14), (3, 15)])
        self.assertEqual(self.firings("a | avg(n) = 5", steps), [(3, 5)])
        self.assertEqual(self.firings("a | max(n) >= 10", steps), [(2, 10), (3, 10)])
        self.assertEqual(self.firings("a | min(n) < 2", steps), [(3, 1)])

    def test_numbers_beyond_doubles(self):
        """They are texts to correlations, whatever reads them: values skip them, groups are named by them."""
        docs = [{"title": "r", "name": "r", "logsource": {"product": "p"}, "detection": {"s": {"ev": "a"}, "condition": "s"}}]
        for kind, more in (("event_count", {}), ("value_count", {}), ("value_sum", {}), ("value_avg", {}), ("value_median", {}),
                           ("value_percentile", {"percentile": 90})):
            field = {} if kind == "event_count" else {"field": "n"}
            docs.append({"title": kind, "name": kind, "correlation": {"type": kind, "rules": ["r"], "group-by": ["g"], "timespan": "1m",
                                                                      "condition": {"neq": -1, **field, **more}}})
        rules = self.write("r.yml", "\n---\n".join(json.dumps(d) for d in docs))
        det = self.build(rules, "--pack")
        numbers = ["1e400", "-1e400", '"1e400"', "1", "1e999999999999", "1e308", "1e308", "1e308", "-1e308", "2.5"]
        events = self.write("e", "".join('{"time":%d,"ev":"a","g":%s,"n":%s}\n' % (1700000000 + i, g, n)
                                         for i, (g, n) in enumerate((g, n) for g in ("1", "1e400", '"1e400"', "-1e999") for n in numbers)))
        want = [json.loads(x) for x in self.sigcc("eval", rules, "--events", events, "--correlations").stdout.splitlines()]
        have = self.detect(det, "--every-firing", events)
        self.assertEqual(sorted((a["source"]["line"], a["rule"]["name"], str(a["group"]["g"]), a["count"], a["value"]) for a in have),
                         sorted((a["line"], a["rule"], a["group"]["g"], a["count"], a["value"]) for a in want))
        means = [a["value"] for a in have if a["rule"]["name"] == "value_avg" and a["group"] == {"g": 1}]
        self.assertEqual((means[1], means[3]), (5e307, 7.5e307))
        # What was kept can be read again, and what was mapped can be reduced.
        for _ in range(2):
            self.detect(det, "--state", self.path("s"), "--every-firing", "-o", self.path("o"), events)
        p = self.run_([det, "map", events])
        p = self.run_([det, "reduce", "--every-firing"], stdin=b"".join(sorted(p.stdout.splitlines(True))))
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertEqual([json.loads(x) for x in p.stdout.splitlines()], have)
        with open(self.path("o"), encoding="utf-8") as f:
            self.assertEqual([json.loads(x) for x in f], have)

    def test_near(self):
        steps = [(0, {"ev": "b"}), (10, {"ev": "a"}), (30, {"ev": "c"}), (200, {"ev": "a"}), (210, {"ev": "c"}), (220, {"ev": "b"})]
        self.assertEqual([line for line, _ in self.firings("a | near b", steps)], [2, 6])
        self.assertEqual([line for line, _ in self.firings("a | near b and not c", steps)], [2])
        self.assertEqual([line for line, _ in self.firings("a | near b and c", steps)], [3, 6])

    def test_what_is_refused(self):
        for condition, timeframe in (("a | count() > 1", None), ("a | count() > 1", "soon"), ("a | median(n) > 1", "1m"), ("a | count( > 1", "1m"),
                                     ("a | count() > x", "1m"), ("a | sum() > 1", "1m"), ("a | near 1 of them", "1m"), ("a | near nobody", "1m"),
                                     ("a |", "1m"), ("| count() > 1", "1m"), ("a | count() by > 1", "1m"), ("a | count() > 1 and b", "1m"),
                                     ("a | count() > 1 | count() > 2", "1m")):
            detection = {"a": {"ev": "a"}, "b": {"ev": "b"}, "condition": condition}
            if timeframe:
                detection["timeframe"] = timeframe
            p = self.run_([SIGCC, "check", self.write("r.yml", rule(detection))])
            self.assertEqual((p.returncode, p.stderr.count(b"error[")), (1, 1), condition + "\n" + p.stderr.decode())


if __name__ == "__main__":
    main()
