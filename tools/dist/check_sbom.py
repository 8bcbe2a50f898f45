"""Fails unless a bill of materials has every crate of which the binary itself shows a trace: the paths in its panics.

    check_sbom.py BINARY FILE
"""

import json
import re
import sys
from pathlib import Path

# Where cargo unpacks what comes from crates.io.
TRACE = re.compile(rb"registry/src/[^/]+/([A-Za-z0-9_-]+-\d+\.\d+\.\d+[A-Za-z0-9.+-]*)/")


def main(binary: str, file: str) -> None:
    bill = json.loads(Path(file).read_text(encoding="utf-8"))
    listed = {f"{crate['name']}-{crate['version']}" for crate in bill["components"]}
    traces = {trace.decode() for trace in TRACE.findall(Path(binary).read_bytes())}
    if not traces:
        raise SystemExit(f"{binary} shows no trace of any crate, so that nothing can be said of {file}")
    if missing := sorted(traces - listed):
        raise SystemExit(f"{file} lacks what is in {binary}: {', '.join(missing)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
