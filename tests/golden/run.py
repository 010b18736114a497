#!/usr/bin/env python3
"""Golden files: what sigcc prints for an input, beside the input.

usage: run.py --sigcc PATH --root DIR [--update] [--only TEXT]

The first line of each tests/golden/KIND/NAME.yml is its command, such as
`# RUN: sigcc check $IN` ($DIR is its folder, $TMP one for output; NAME=VALUE may precede sigcc); what it prints on both streams
and its exit status must equal NAME.KIND. Every code of diag_codes.def must
occur in some diag golden, so that its text, place and hint are tested.
"""
import argparse
import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def output(sigcc, source, folder):
    with open(source, "rb") as f:
        first = f.readline().decode("utf-8", "replace")
    m = re.match(r"(?:\ufeff)?# RUN: ((?:[A-Z_]+=\S+ )*)sigcc (.*)$", first.strip())
    if not m:
        return None
    with tempfile.TemporaryDirectory(prefix="sigcc-golden-") as temp:
        return run(sigcc, m, source, folder, temp)


def run(sigcc, m, source, folder, temp):
    args = [a.replace("$IN", os.path.basename(source)).replace("$DIR", ".").replace("$TMP", temp) for a in shlex.split(m.group(2))]
    p = subprocess.run([sigcc] + args, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                       env=dict(os.environ, NO_COLOR="1", LC_ALL="C", **dict(v.split("=", 1) for v in m.group(1).split())))
    return p.stdout.replace(temp.encode(), b"$TMP") + b"exit %d\n" % p.returncode


def codes(root):
    with open(os.path.join(root, "compiler/base/diag_codes.def"), encoding="utf-8") as f:
        return set(re.findall(r"^DIAG\(([EWN]\d{4}),", f.read(), re.M))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--sigcc", required=True)
    ap.add_argument("--root", required=True)
    ap.add_argument("--update", action="store_true")
    ap.add_argument("--only", default="")
    a = ap.parse_args()
    good, bad, seen = 0, 0, set()
    for source in sorted(glob.glob(os.path.join(HERE, "*/*.yml"))):
        kind = os.path.basename(os.path.dirname(source))
        if a.only not in source:
            continue
        have = output(os.path.abspath(a.sigcc), source, os.path.dirname(source))
        if have is None:
            continue  # a pipeline or filter that another input uses
        path = source[:-3] + kind
        if a.update:
            with open(path, "wb") as f:
                f.write(have)
        want = open(path, "rb").read() if os.path.exists(path) else b""
        seen |= set(re.findall(r"\[([EWN]\d{4})\]", want.decode("utf-8", "replace")))
        if have == want:
            good += 1
            continue
        bad += 1
        print("FAIL %s\n--- want\n%s--- have\n%s" % (os.path.relpath(source, HERE), want.decode(errors="replace"), have.decode(errors="replace")))
    if not a.only:
        for code in sorted(codes(a.root) - seen):
            bad += 1
            print("FAIL %s: no golden in tests/golden/diag shows this code" % code)
    print("%d passed, %d failed" % (good, bad))
    return 1 if bad or not good else 0


if __name__ == "__main__":
    sys.exit(main())
