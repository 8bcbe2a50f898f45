"""Writes checksums.txt, which `sha256sum --check` reads, for all other files of a folder.

    checksums.py FOLDER
"""

import hashlib
import sys
from pathlib import Path


def main(folder: Path) -> None:
    out = folder / "checksums.txt"
    files = sorted(path for path in folder.iterdir() if path.is_file() and path != out)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    # As bytes: on Windows, text would get line ends that sha256sum takes for a part of the names.
    out.write_bytes("".join(lines).encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
