"""Records a command in a terminal as an asciicast: `python record.py CAST COMMAND…`.

The terminal has the same size everywhere. Long waits are cut, and before each step of the story there is time to read
how the last one came out. What the command prints is shown, too. A recording that names the machine it was made on is
refused.
"""

import codecs
import fcntl
import json
import os
import pty
import socket
import struct
import sys
import tempfile
import termios
import time

COLUMNS, ROWS = 100, 30
LONGEST_WAIT = 2.0
READING_TIME = 4.0
STEP = "\x1b[1;36m── "


def main():
    target, command = sys.argv[1], sys.argv[2:]
    events, code = record(command)
    if code != 0:
        sys.exit(f"the command ended with {code}, so nothing was recorded")
    traces = names_of_this_machine("".join(text for _, text in events))
    if traces:
        sys.exit(f"the recording names this machine: {', '.join(traces)}")
    write(target, events)


def record(command):
    """What the command printed and when, and its exit code."""
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(sys.stdout.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.environ["TERM"] = "xterm-256color"
        os.execvp(command[0], command)
    decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
    events, at, last = [], 0.0, time.monotonic()
    for piece in pieces(terminal):
        now = time.monotonic()
        at, last = at + min(now - last, LONGEST_WAIT), now
        before, step, after = decode(piece).partition(STEP)
        if before:
            events.append((at, before))
        if step:
            at += READING_TIME
            events.append((at, step + after))
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    _, status = os.waitpid(child, 0)
    return events, os.waitstatus_to_exitcode(status)


def pieces(terminal):
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            # That is how Linux says that nobody writes to the terminal any more.
            return
        if not piece:
            return
        yield piece


def names_of_this_machine(text):
    """A user's name may be any word, so it counts in the home folder only."""
    names = [os.getcwd(), os.path.expanduser("~"), tempfile.gettempdir() + "/", socket.gethostname()]
    return [name for name in names if name in text]


def write(target, events):
    header = {"version": 2, "width": COLUMNS, "height": ROWS, "env": {"TERM": "xterm-256color"}}
    with open(target, "w", encoding="utf-8") as cast:
        for line in [header, *([round(at, 3), "o", text] for at, text in events)]:
            cast.write(json.dumps(line, ensure_ascii=False) + "\n")


main()
