#!/usr/bin/env python3
"""The first detection, end to end: T1071.003 on Falcon and Sysmon events."""
import glob
import gzip
import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import Case, ROOT, main, need_shared, shared  # noqa: E402

RULE = os.path.join(ROOT, "sigma/t1071_003_mail_protocols.yml")
SAMPLE = os.path.join(ROOT, "tests/data/fdr_sample.ndjson")
ROWS = [  # the answer a LogScale search gives on the sample
    ["LON-LT-00202", "Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe", "203.0.113.25", "587", "SMTP", "jo.brandt", 9,
     "1772442840.452", "1772443328.441"],
    ["LON-WS-00117", "Python311\\python.exe", "198.51.100.77", "993", "IMAP", "mia.okafor", 5, "1772442870.294", "1772443350.108"],
    ["NYC-LT-00031", "Users\\Public\\svchost32.exe", "198.51.100.9", "110", "POP3", "SYSTEM", 4, "1772443040.847", "1772443175.337"],
    ["NYC-LT-00031", "Users\\Public\\svchost32.exe", "198.51.100.9", 25, "SMTP", "SYSTEM", 3, "1772443240.758", "1772443300.559"],
]
COLUMNS = ["ComputerName", "ImageFileName", "RemoteAddressIP4", "RemotePort", "Protocol", "UserName", "ConnectionCount", "FirstSeen", "LastSeen"]


class MailProtocols(Case):
    def test_sample_rows(self):
        det = self.build(RULE, "-p", "crowdstrike_fdr")
        want = [dict(zip(COLUMNS, r)) for r in ROWS]
        for w in want:
            w["ImageFileName"] = "\\Device\\HarddiskVolume3\\" + w["ImageFileName"]
        self.assertEqual(self.detect(det, "--mode", "search", SAMPLE), want)
        with open(SAMPLE, "rb") as f:
            self.assertEqual(self.detect(det, "--mode", "search", stdin=f.read()), want)
            f.seek(0)
            gz = self.write("s.gz", gzip.compress(f.read()))
        self.assertEqual(self.detect(det, "--mode", "search", gz), want)
        self.assertEqual(self.detect(det, "--mode", "search", gz, SAMPLE)[0]["ConnectionCount"], 18)

    def test_derive_in_the_correlation_serves_its_rules(self):
        with open(RULE, encoding="utf-8") as f:
            base, correlation = f.read().split("\n---\n")
        base, block = base.split("sigcc:\n")
        moved = self.write("r.yml", base + "\n---\n" + correlation + block)
        det = self.build(moved, "-p", "crowdstrike_fdr")
        self.assertEqual([r["Protocol"] for r in self.detect(det, "--mode", "search", SAMPLE)], ["SMTP", "IMAP", "POP3", "SMTP"])
        self.build(self.write("r.yml", base + "\n---\n" + correlation + block.replace("smtp:", "smpt:")), "-p", "crowdstrike_fdr", status=1)

    def test_stream_alerts_once_per_group(self):
        det = self.build(RULE, "-p", "crowdstrike_fdr")
        alerts = self.detect(det, SAMPLE)
        self.assertEqual([a["type"] for a in alerts], ["correlation"] * 4)
        self.assertEqual({a["rule"]["name"] for a in alerts}, {"mail_protocol_c2"})
        self.assertEqual({a["count"] for a in alerts}, {3})
        self.assertEqual(len(self.detect(det, "--every-firing", SAMPLE)), 7 + 3 + 2 + 1)

    def test_formats(self):
        det = self.build(RULE, "-p", "crowdstrike_fdr")
        csv = self.run_([det, "--mode", "search", "-f", "csv", SAMPLE]).stdout.decode().splitlines()
        self.assertEqual(csv[0], ",".join(COLUMNS))
        self.assertEqual(len(csv), 5)
        rows = json.loads(self.run_([det, "--mode", "search", "-f", "json", SAMPLE]).stdout)
        self.assertEqual([r["ConnectionCount"] for r in rows], [9, 5, 4, 3])
        table = self.run_([det, "--mode", "search", "-f", "table", SAMPLE]).stdout.decode()
        for c in COLUMNS:
            self.assertIn(c, table)

    @need_shared("corpora/ref_t1071_003.py")
    def test_corpora_agree_with_the_reference(self):
        det = self.build(RULE, "-p", "crowdstrike_fdr")
        files = sorted(glob.glob(shared("corpora/fdr/generated/*.ndjson.gz")))
        self.assertTrue(files)
        for f in files:
            out = self.write("out.ndjson", self.run_([det, "--mode", "search", "-f", "ndjson", f]).stdout)
            p = subprocess.run([sys.executable, shared("corpora/ref_t1071_003.py"), "--check", out, f], capture_output=True, text=True)
            self.assertEqual(p.returncode, 0, f + "\n" + p.stdout)

    def test_portable_rule_on_sysmon(self):
        """The same rule finds the PowerShell connection in flat, nested and Winlogbeat events."""
        det = self.build(RULE, "-p", "sysmon_windows")
        stem = os.path.join(ROOT, "tests/rules/t1071_003_mail_protocols.sysmon")
        rows = self.detect(det, "--mode", "search", stem + ".match.ndjson")
        self.assertEqual(len(rows), 1)
        self.assertEqual((rows[0]["ConnectionCount"], rows[0]["Protocol"], rows[0]["Computer"]), (6, "SMTP", "WS-0042"))
        self.assertEqual(self.detect(det, "--mode", "search", stem + ".no_match.ndjson"), [])


class Companions(Case):
    """Every rule of sigma/ matches each event it must and no other."""

    def test_events_beside_rules(self):
        with open(os.path.join(ROOT, "generated/recipes.txt"), encoding="utf-8") as f:
            recipes = [line.split() for line in f if line.strip() and not line.startswith("#")]
        checked = 0
        for stem, *pipelines in recipes:
            match = os.path.join(ROOT, "tests/rules/%s.match.ndjson" % stem)
            if not os.path.exists(match):
                continue
            args = [x for p in pipelines for x in ("-p", p)]
            det = self.build(os.path.join(ROOT, "sigma/%s.yml" % stem), *args, out=stem)
            with open(match, encoding="utf-8") as f:
                count = sum(1 for _ in f)
            self.assertEqual([a["source"]["line"] for a in self.detect(det, match)], list(range(1, count + 1)), stem)
            self.assertEqual(self.detect(det, match.replace(".match.", ".no_match.")), [], stem)
            checked += 1
        self.assertGreaterEqual(checked, 6)


if __name__ == "__main__":
    main()
