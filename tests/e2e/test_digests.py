#!/usr/bin/env python3
"""Digests of what rules compute, as a detector lists them: the same alone and
in a pack, at every optimisation, under other names; others with another
pipeline, filter, placeholder or routing."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import ROOT, Case, main  # noqa: E402

BASE = """title: Base
name: base
logsource: {product: windows, category: process_creation}
detection:
  s: {Image|endswith: '\\a.exe', User|expand: '%admins%'}
  condition: s
"""
CORR = """title: Many
name: many
correlation: {type: event_count, rules: [base], group-by: [User], timespan: 5m, condition: {gte: 2}}
"""
OTHER = """title: Other
name: other
logsource: {product: zeek, service: dns}
detection: {s: {query: x}, condition: s}
"""
PIPELINE = """name: p
priority: 10
transformations:
  - {id: m, type: field_name_mapping, mapping: {%s}}
"""
FILTER = """title: F
name: f
logsource: {product: windows, category: process_creation}
filter:
  rules: [base]
  k: {Host: %s}
  condition: not k
"""


class Digests(Case):
    def digests(self, det):
        """(kind, title) to digest."""
        rows = self.detect(det, "--list")
        self.assertTrue(rows and all(list(r)[-1] == "digest" and re.fullmatch("[0-9a-f]{64}", r["digest"]) for r in rows), rows)
        return {(r["kind"], r["title"]): r["digest"] for r in rows}

    def pack(self, rules, *args, values=("Root",)):
        for i, text in enumerate(rules):
            self.write("rules/%d.yml" % i, text)
        holders = self.write("values.yml", json.dumps({"admins": list(values)}))
        return self.digests(self.build(self.path("rules"), "--pack", "--placeholders", holders, *args))

    def test_table_of_ways_to_build(self):
        base = self.pack([BASE, CORR, OTHER])
        mapped = self.write("p.yml", PIPELINE % "Image: process.exe")
        alike = self.write("q.yml", PIPELINE.replace("priority: 10", "priority: 20") % "NoField: x")
        exact = self.write("f.yml", FILTER % "h")
        rows = [
            (True, [BASE, CORR, OTHER], ["-fno-fold", "-fno-share"], ("Root",)),
            (True, [OTHER, CORR, BASE], [], ("Root",)),
            (True, [BASE.replace("title: Base", "title: Base\nlevel: high\ntags: [a.b]"), CORR, OTHER], [], ("Root",)),
            (True, [BASE, CORR, OTHER], ["-p", alike], ("Root",)),
            (False, [BASE, CORR, OTHER], ["-p", mapped], ("Root",)),
            (False, [BASE, CORR, OTHER], ["--filter", exact], ("Root",)),
            (False, [BASE, CORR, OTHER], [], ("Root", "Admin")),
            (False, [BASE, CORR, OTHER], ["--no-logsource-routing"], ("Root",)),
        ]
        for stays, rules, args, values in rows:
            have = self.pack(rules, *args, values=values)
            for key in (("rule", "Base"), ("correlation", "Many")):
                self.assertEqual(have[key] == base[key], stays, (rules, args, values, key))
            if "--no-logsource-routing" not in args:
                self.assertEqual(have[("rule", "Other")], base[("rule", "Other")])

    def test_alone_and_in_a_pack(self):
        rules = self.write("all.yml", "---\n".join([BASE.replace("|expand: '%admins%'", ": x"), CORR, OTHER]))
        packed = self.digests(self.build(rules, "--pack", out="pack"))
        self.sigcc("build", rules, "-o", self.path("each"))
        for name in os.listdir(self.path("each")):
            for key, digest in self.digests(os.path.join(self.path("each"), name)).items():
                self.assertEqual(digest, packed.pop(key))
        self.assertEqual(packed, {})

    def test_shown(self):
        rules = self.write("all.yml", OTHER)
        det = self.build(rules)
        table = self.run_([det, "--list"]).stdout
        self.assertNotIn(b"digest", table)
        digest = self.digests(det)[("rule", "Other")]
        dump = self.sigcc("build", rules, "--dump=ir", "-o", self.path("x")).stdout.decode()
        self.assertIn("digest " + digest, dump)

    def test_pipelines_make_other_rules(self):
        rule = os.path.join(ROOT, "sigma/t1071_003_mail_protocols.yml")
        plain = self.digests(self.build(rule))
        falcon = self.digests(self.build(rule, "-p", "crowdstrike_fdr"))
        self.assertEqual(set(plain), set(falcon))
        self.assertFalse(set(plain.values()) & set(falcon.values()))


if __name__ == "__main__":
    main()
