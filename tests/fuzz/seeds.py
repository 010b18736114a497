#!/usr/bin/env python3
"""Seed inputs for the fuzz targets, made of the conformance cases.

usage: seeds.py FOLDER

Writes FOLDER/TARGET/N for each target: rules, conditions, patterns, networks,
events and pipelines as the conformance suite has them, in the shape the
target reads (see the head of each tests/fuzz/fuzz_*.c).
"""
import glob
import gzip
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def cases():
    for path in sorted(glob.glob(os.path.join(HERE, "..", "conformance", "*.json"))):
        with open(path, encoding="utf-8") as f:
            yield from json.load(f)


def documents(case):
    """Every YAML text of a case."""
    for value in case.values():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and "\n" in text:
                yield text


def texts(document, pattern):
    return {t.strip("'\" ") for t in re.findall(pattern, document)}


def sized(lines):
    """Each behind its length in two bytes."""
    return b"".join(len(line).to_bytes(2, "little") + line for line in lines)


def collect():
    seeds = {n: set() for n in ("rule", "yaml", "pipeline", "enrich", "condition", "pattern", "cidr", "json", "input", "wildcard", "litset", "sigma")}
    for case in cases():
        for doc in documents(case):
            raw = doc.encode()
            kinds = ("pipeline",) if "transformations:" in doc else ("rule", "yaml")
            for kind in kinds:
                seeds[kind].add(raw)
            for c in texts(doc, r"condition: (.+)"):
                seeds["condition"].add(b"\0" + c.encode())
            for v in texts(doc, r"'([^'\n]+)'"):
                seeds["pattern"].add(b"\0" + v.encode())
                seeds["wildcard"].add(v.encode()[-12:] + b"\0" + v.encode()[-24:])
                seeds["litset"].add(bytes([len(v) % 256]) + v.encode() + bytes([9]) + v.encode())
                if re.fullmatch(r"[0-9a-f.:/]+", v):
                    seeds["cidr"].add(v.encode())
        lines = [json.dumps(e["event"], ensure_ascii=False).encode() for e in case.get("events") or [] if isinstance(e, dict) and "event" in e]
        seeds["json"].update(b" " + line for line in lines)
        seeds["sigma"].add(b"\0" + sized(lines))
        if lines:
            seeds["input"].add(b"\n".join(lines))
            seeds["input"].add(gzip.compress(b"\n".join(lines), mtime=0))
    failures = [b'{"ts":"2026-01-02T03:04:%02dZ","kind":"FAIL","user":"ann","port":25}' % i for i in range(5)] + [b'{"when":1767323048,"kind":"ok","user":"ann"}']
    seeds["sigma"].update(bytes([way]) + sized(failures) for way in range(4))
    for path in glob.glob(os.path.join(HERE, "..", "..", "sigma", "pipelines", "*.yml")):
        with open(path, "rb") as f:
            seeds["pipeline"].add(f.read()[:4096])
    for path in glob.glob(os.path.join(HERE, "..", "..", "sigma", "enrich", "*.yml")):
        with open(path, "rb") as f:
            text = re.sub(rb"(?m)^ *#.*\n", b"", f.read())
        seeds["enrich"].add(text + b"\0aid,ComputerName\na,H\n" + b"".join(
            b"\0" + json.dumps({"aid": "a", "event_simpleName": kind, "TargetProcessId": 7, "ContextProcessId": "7", "ImageFileName": image}).encode()
            for kind, image in (("ProcessRollup2", "x"), ("NetworkConnectIP4", None))))
    return seeds


def main():
    for target, found in collect().items():
        folder = os.path.join(sys.argv[1], "fuzz_" + target)
        os.makedirs(folder, exist_ok=True)
        for i, seed in enumerate(sorted(found, key=lambda s: (len(s), s))):
            with open(os.path.join(folder, "%04d" % i), "wb") as f:
                f.write(seed)


if __name__ == "__main__":
    main()
