"""Running commands in turn and what that took. Ratios of medians; nothing else travels between machines."""
import os
import statistics
import subprocess
import sys
import time


class Run:
    """One run: seconds on the clock, seconds of the processor, peak resident bytes, exit code, output."""

    def __init__(self, args, stdin=None, feed=None, keep=False):
        """`feed` is a command whose output goes to a pipe that is standard input; its processor time does not count."""
        source = subprocess.Popen(feed, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) if feed else None
        begin = time.monotonic()
        # A pipe: grep stops at the first match when its output is /dev/null.
        p = subprocess.Popen(args, stdin=source.stdout if source else stdin or subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE if keep else subprocess.DEVNULL)
        if source:
            source.stdout.close()
        self.err = b""
        if keep:
            self.out, self.err = drain(p)
        else:
            self.out = b""
            while p.stdout.read(1 << 20):
                pass
        _, status, usage = os.wait4(p.pid, 0)
        self.wall = time.monotonic() - begin
        p.returncode = self.code = os.waitstatus_to_exitcode(status)
        self.cpu = usage.ru_utime + usage.ru_stime
        self.rss = usage.ru_maxrss * 1024
        if source:
            source.wait()


def drain(p):
    """Both outputs of a program that writes little to the second."""
    out = p.stdout.read()
    return out, p.stderr.read()


def in_turn(commands, rounds, **kw):
    """name -> args, or (args, kw) with arguments of Run; name -> its runs. Each round runs every command
    once, every other round from the last one to the first: what a run leaves behind for the next is not always the same one's."""
    runs = {name: [] for name in commands}
    for n in range(rounds):
        for name, args in list(commands.items())[::-1 if n % 2 else 1]:
            more = {}
            if isinstance(args, tuple):
                args, more = args
            run = Run(args, **{**kw, **more})
            if run.code not in (0, 1):
                print("note: %s ended with %d" % (name, run.code), file=sys.stderr)
            runs[name].append(run)
    return runs


def median(runs, what="cpu"):
    return statistics.median(getattr(r, what) for r in runs)


def medians(runs, what="cpu"):
    return {name: median(r, what) for name, r in runs.items()}


def ratio(runs, one, other, what="cpu"):
    """The median of what each round alone says: what slows the machine for a while slows both."""
    return statistics.median(getattr(a, what) / getattr(b, what) for a, b in zip(runs[one], runs[other]))


def warm(path):
    """Bring a file into the page cache; its size and lines."""
    size = lines = 0
    with open(path, "rb") as f:
        for block in iter(lambda: f.read(1 << 22), b""):
            size += len(block)
            lines += block.count(b"\n")
    return size, lines
