"""Packs a provider as Pulumi installs it. The same files give the same bytes, whoever packs them, wherever and when.

    archive.py BINARY NAME SECONDS ARCHIVE

NAME is the binary's in the archive; SECONDS, since 1970, is the time that all files get.
"""

import gzip
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main(binary: str, name: str, seconds: str, archive: str) -> None:
    files = {name: (Path(binary), 0o755), "LICENSE": (ROOT / "LICENSE", 0o644), "README.md": (ROOT / "README.md", 0o644)}
    with (
        open(archive, "wb") as out,
        # Gzip's own header names no file and no time.
        gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=6, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for inner, (path, mode) in sorted(files.items()):
            entry = tarfile.TarInfo(inner)
            entry.size, entry.mode, entry.mtime = path.stat().st_size, mode, int(seconds)
            with path.open("rb") as content:
                tar.addfile(entry, content)


if __name__ == "__main__":
    main(*sys.argv[1:])
