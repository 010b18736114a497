"""Where a command spends its processor time, by perf: what explains an aim that was missed."""
import os
import shutil
import subprocess

from measure import Run

LEAST = 2  # percent that a function must have to be told


def hotspots(command, folder):
    """`command` as measure.in_turn has them. [(percent, function)], the dearest first; None where perf is missing or may not look."""
    if not shutil.which("perf"):
        return None
    args, more = command if isinstance(command, tuple) else (command, {})
    data = os.path.join(folder, "perf.data")
    Run(["perf", "record", "-q", "-F", "4999", "-o", data, "--", *args], **more)
    if not os.path.exists(data):
        return None
    report = ["perf", "report", "-q", "--stdio", "--percent-limit", str(LEAST), "-F", "overhead,symbol", "-t", "\t", "-i", data]
    text = subprocess.run(report, capture_output=True, text=True, check=False).stdout
    os.unlink(data)
    rows = [line.strip().split("\t") for line in text.splitlines() if "\t" in line and not line.startswith("#")]
    return [(float(share.strip().rstrip("%")), name(symbol)) for share, symbol in rows]


def name(symbol):
    """"[k] name" is the kernel's, "[.] name.constprop.0" is ours, as the compiler has split it."""
    kind, _, rest = symbol.strip().partition(" ")
    return rest.split(".")[0] + (" (kernel)" if kind == "[k]" else "")


def hotspots_told(functions):
    return ", ".join("%s %.0f %%" % (f, share) for share, f in functions)
