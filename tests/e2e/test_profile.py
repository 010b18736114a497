#!/usr/bin/env python3
"""--profile: its counts are exact, with threads too, it changes no alert, and its tables show what JSON says."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import Case, main, rule  # noqa: E402

RULES, EVENTS = 24, 3000
PHASES = ["read", "project", "enrich", "gates", "rules", "context", "correlate", "output", "profile"]


def literal(i):
    return "Literal-%02d-x" % i


def rules():
    """Rule i needs its literal and then a digit behind "x="."""
    return "\n---\n".join(rule({"s": {"Text|contains": literal(i), "Arg|re": "x=.*[0-9]"}, "condition": "s"}, "rule %02d" % i, id="id%02d" % i)
                          for i in range(RULES))


def events():
    """Event n holds literal n mod RULES + 1 (so one is no rule's); every second one has a digit; every tenth has no Arg."""
    out = []
    for n in range(EVENTS):
        event = {"n": n, "Text": ["a b " + literal(n % (RULES + 1)), "other"], "pad": "p" * (n % 50)}
        if n % 10 != 0:
            event["Arg"] = "x=%s" % ("7" if n % 2 == 1 else "b")
        out.append(event)
    return out


class Profile(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls("make")
        case.setUp()
        cls.addClassCleanup(case.doCleanups)
        case.make()
        cls.det, cls.small, cls.data = case.det, case.small, case.data

    def make(self):
        self.det = self.build(self.write("rules.yml", rules()), "--pack", "-O0")
        self.small = self.build(self.write("one.yml", rules().split("\n---\n")[0]), "-O0", out="small")
        self.data = self.write("in.ndjson", "".join(json.dumps(e) + "\n" for e in events()))

    def profile(self, det, *args):
        p = self.run_([det, "-f", "ndjson", "--profile=json", *args])
        self.assertEqual(p.returncode, 0, p.stderr.decode(errors="replace"))
        return p.stdout, json.loads(p.stderr.decode().splitlines()[-1])

    def check_rules(self, have, candidates):
        """Against counts from the events themselves. Arg is text in nine of ten events with a literal; the regular expression
        is asked where the text holds the literal."""
        for r in have["rules"]:
            i = int(r["id"][2:])
            mine = [e for e in events() if literal(i) in e["Text"][0]]
            want = {"candidates": candidates(len(mine)), "asked": EVENTS if candidates(1) == 0 else len(mine), "evaluated": len(mine),
                    "matches": sum("=7" in e.get("Arg", "") for e in mine), "regexes": sum("Arg" in e for e in mine)}
            self.assertEqual({k: r[k] for k in want}, want, r["title"])

    def check_fields(self, have):
        fields = {f["name"]: f for f in have["fields"]}
        self.assertEqual(fields["Text"]["events"], EVENTS)
        self.assertEqual(fields["Text"]["values"], 2 * EVENTS)
        self.assertEqual(fields["Text"]["bytes"], sum(len(json.dumps(v)) for e in events() for v in e["Text"]))
        self.assertEqual(fields["Arg"]["events"], sum("Arg" in e for e in events()))
        # Folded where it is searched: a match needs "x=", and all values have that.
        self.assertEqual(fields["Arg"]["folded"], sum(r["regexes"] for r in have["rules"]))
        return fields

    def test_counts_of_a_pack(self):
        _, have = self.profile(self.det, self.data)
        self.assertEqual(have["events"], EVENTS)
        self.assertEqual(len(have["rules"]), RULES)
        self.check_rules(have, lambda n: n)
        fields = self.check_fields(have)
        self.assertEqual(fields["Text"]["folded"], 2 * EVENTS)
        self.assertGreater(fields["Text"]["scan_ns"], 0)

    def test_counts_without_an_index(self):
        _, have = self.profile(self.small, "--no-prefilter", self.data)
        self.check_rules(have, lambda n: 0)
        fields = self.check_fields(have)
        self.assertEqual(fields["Text"]["predicates"], EVENTS)
        self.assertEqual(fields["Text"]["scan_ns"], 0)

    def test_times(self):
        _, have = self.profile(self.det, self.data)
        self.assertEqual([p for p in have["phases"] if p != "unit"], PHASES)
        self.assertGreater(have["timed"], 0)
        for phase in ("project", "gates", "rules"):
            self.assertGreater(have["phases"][phase], 0, phase)
        ns = [r["ns"] for r in have["rules"]]
        self.assertEqual(ns, sorted(ns, reverse=True))
        # Rules have shares of their phase, but for the rounding of each.
        self.assertLessEqual(sum(ns), have["phases"]["rules"] + RULES)

    def test_output_is_the_same(self):
        plain = self.run_([self.det, "-f", "ndjson", self.data]).stdout
        self.assertGreater(plain.count(b"\n"), 1000)
        for args in ((), ("--threads", "3"), ("--stats",)):
            self.assertEqual(self.profile(self.det, self.data, *args)[0], plain, args)

    def test_threads_count_the_same(self):
        counts = []
        for threads in "1", "4":
            have = self.profile(self.det, self.data, "--threads", threads)[1]
            for entry in have["rules"] + have["fields"]:
                for key in [k for k in entry if k.endswith("ns")]:
                    del entry[key]
            counts.append((sorted(json.dumps(r) for r in have["rules"]), sorted(json.dumps(f) for f in have["fields"]), have["events"]))
        self.assertEqual(*counts)

    def test_table(self):
        p = self.run_([self.det, "-f", "ndjson", "--profile", self.data])
        said = p.stderr.decode()
        self.assertEqual(p.returncode, 0, said)
        lines = said.splitlines()
        self.assertEqual(sum("rule 0" in line or "rule 1" in line or "rule 2" in line for line in lines), 20)
        self.assertIn("%d more rules" % (RULES - 20), said)
        for phase in PHASES:
            self.assertTrue(any("  %s " % phase in line for line in lines), phase)

    def test_title_is_no_command_for_the_terminal(self):
        det = self.build(self.write("evil.yml", rule({"s": {"A": 1}, "condition": "s"}, "red \u001b[31m")), "-O0", out="evil")
        p = self.run_([det, "--profile"], stdin=b'{"A":1}\n')
        self.assertNotIn(b"\x1b", p.stderr)
        self.assertIn(b"red", p.stderr)

    def test_one_event_has_times(self):
        have = self.profile(self.det, self.write("single", json.dumps(events()[1]) + "\n"))[1]
        self.assertEqual((have["events"], have["timed"]), (1, 1))
        for phase in ("project", "gates", "rules"):
            self.assertGreater(have["phases"][phase], 0, phase)
        self.assertGreater(sum(r["ns"] for r in have["rules"]), 0)

    def test_no_events(self):
        have = self.run_([self.det, "--profile=json"]).stderr
        self.assertEqual(json.loads(have)["events"], 0)
        self.assertEqual(self.run_([self.det, "--profile"]).returncode, 0)

    def test_unreadable_lines(self):
        data = self.write("bad", "{\n" * 500 + '{"Text":"%s"}\n' % literal(0) + "[]\n" * 500)
        have = self.profile(self.det, data)[1]
        self.assertEqual(have["events"], 1001)
        self.assertEqual({f["name"]: f["events"] for f in have["fields"]}, {"Text": 1, "Arg": 0})

    def test_map_and_reduce(self):
        p = self.run_([self.det, "map", "--profile=json", self.data])
        self.assertEqual(json.loads(p.stderr.decode().splitlines()[-1])["events"], EVENTS)
        self.assertEqual(self.run_([self.det, "reduce", "--profile"]).returncode, 2)
        self.assertEqual(self.run_([self.det, "--profile=xml"]).returncode, 2)


if __name__ == "__main__":
    main()
