"""Takes the code blocks out of a README, so that they can be compiled and run: `readme.py README.md FOLDER`.

A block that begins with a comment of a file name becomes that file. JSON blocks are policy.json; shell blocks are steps
of commands.sh, which makes what the README says. A block of another kind is a mistake, since nothing would test it.
"""

import json
import re
import sys
from pathlib import Path

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"(?://|#) ([\w.-]+)\n")


def place(language: str, code: str, folder: Path) -> None:
    named = FILE_NAME.match(code)
    if named:
        (folder / named[1]).write_text(code)
    elif language == "json":
        (folder / "policy.json").write_text(json.dumps(json.loads(code)))
    elif language == "sh":
        with (folder / "commands.sh").open("a") as commands:
            commands.write(f"set -eux\n{code}")
    else:
        raise SystemExit(f"nothing tests this block:\n{code}")


def main(readme: str, target: str) -> None:
    folder = Path(target)
    folder.mkdir(parents=True)
    for block in BLOCK.finditer(Path(readme).read_text()):
        place(block[1], block[2], folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
