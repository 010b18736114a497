#!/usr/bin/env python3
"""Make FDR-like NDJSON for benchmarks: sensor events of about 1.2 KB, one in
twelve a network connection, a few of those to mail ports.

usage: make_fdr.py OUT BYTES [SEED] [SHARE]

SHARE of the events, 1/12 if it is not given, are network connections.

The first 64 MB are drawn, the rest repeats them: what is measured reads every
byte anyway, and a gigabyte is made in seconds.
"""
import json
import random
import sys

NAMES = ["ProcessRollup2", "DnsRequest", "FileOpenInfo", "ClassifiedModuleLoad", "EndOfProcess", "DirectoryCreate", "AsepValueUpdate",
         "NewExecutableWritten", "RegGenericValueUpdate", "SuspiciousDnsRequest", "CommandHistory"]
IMAGES = ["Windows\\System32\\svchost.exe", "Program Files\\Google\\Chrome\\Application\\chrome.exe", "Python311\\python.exe",
          "Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE", "Users\\Public\\updater.exe",
          "Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"]


def event(r, n, share):
    connect = r.random() < share
    e = {"event_simpleName": "NetworkConnectIP4" if connect else r.choice(NAMES), "ContextTimeStamp": "%.3f" % (1772442840 + n * 0.02),
         "timestamp": str(int((1772442840 + n * 0.02) * 1000) + 1300), "aid": "%032x" % r.getrandbits(128), "cid": "%032x" % r.getrandbits(128),
         "ComputerName": "LON-LT-%05d" % r.randrange(300), "UserName": "user%03d" % r.randrange(200), "event_platform": "Win",
         "ContextProcessId": str(r.getrandbits(40)), "ConfigBuild": "1007.3.0019505.7", "ConfigStateHash": str(r.getrandbits(32)),
         "EffectiveTransmissionClass": "3", "Entitlements": "15", "name": "V%d" % r.randrange(30), "EventOrigin": "1", "id": "%032x" % r.getrandbits(128)}
    if connect:
        mail = r.random() < 0.1
        e.update({"ImageFileName": "\\Device\\HarddiskVolume3\\" + r.choice(IMAGES), "RemoteAddressIP4": "203.0.113.%d" % r.randrange(20 if mail else 250),
                  "RemotePort": r.choice(["25", "587", "110", "993"]) if mail else r.choice(["443", "80", "53", "8443"]),
                  "LocalPort": str(r.randrange(49152, 65535)), "Protocol": "6", "ConnectionDirection": "0"})
    for i in range(r.randrange(10, 30)):
        e["Field%02d" % i] = "%0*x" % (r.randrange(4, 40), r.getrandbits(80))
    items = list(e.items())
    r.shuffle(items)
    return json.dumps(dict(items), separators=(",", ":")) + "\n"


def main():
    out, size, seed = sys.argv[1], int(float(sys.argv[2])), int(sys.argv[3]) if len(sys.argv) > 3 else 1
    share = float(sys.argv[4]) if len(sys.argv) > 4 else 1 / 12
    r, lines, made, n = random.Random(seed), [], 0, 0
    while made < min(size, 64 << 20):
        line = event(r, n, share)
        lines.append(line)
        made += len(line)
        n += 1
    block = "".join(lines).encode()
    with open(out, "wb") as f:
        written = 0
        while written < size:
            f.write(block)
            written += len(block)


if __name__ == "__main__":
    main()
