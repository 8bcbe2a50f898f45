"""The version that everything here has: the provider, its SDKs and the hook SDKs are released together.

    version.py                prints it
    version.py check [TAG]    fails where another one is written; a TAG must be its, and the changelog must have it
    version.py set VERSION    writes it everywhere; `make sdk` brings it into the SDKs
    version.py notes          prints what the changelog says of it

The SDKs are not looked at here: they are what schema.json gives, which tools/check-fresh.sh sees to.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSION = r"(?P<version>\d+\.\d+\.\d+)"

# Where it stands: files, and what is around it. The first one is where it is read from.
PLACES = [
    ("Cargo.toml", rf'^\[workspace\.package\]\nversion = "{VERSION}"'),
    # Only the workspace's own crates come from nowhere.
    ("Cargo.lock", rf'^version = "{VERSION}"\n(?!source = )'),
    ("schema.json", rf'^  "version": "{VERSION}"'),
    ("hooks/typescript/package.json", rf'^  "version": "{VERSION}"'),
    ("hooks/typescript/package-lock.json", rf'"name": "lambda-rollout-hooks",\n *"version": "{VERSION}"'),
    ("hooks/python/pyproject.toml", rf'^version = "{VERSION}"'),
    ("examples/*/package.json", rf'"(?:pulumi-lambda-rollout|lambda-rollout-hooks)": "\^{VERSION}"'),
    ("examples/*/requirements.txt", rf"^(?:pulumi-lambda-rollout|lambda-rollout-hooks)>={VERSION}"),
    ("examples/*/go.mod", rf"pulumi-lambda-rollout/sdk-gen/go/lambdarollout v{VERSION}"),
    ("examples/sst/sst.config.ts", rf'"lambda-rollout": "{VERSION}"'),
    ("examples/one-line-yaml/README.md", rf"resource lambda-rollout {VERSION}"),
    ("docs/installation-configuration.md", rf"resource[- ]lambda-rollout[ -]v?{VERSION}"),
    ("docs/sst.md", rf'"lambda-rollout": {{ version: "{VERSION}"'),
    ("tests/examples/cli.ts", rf'"lambda-rollout": "{VERSION}"'),
]


def places() -> Iterator[tuple[Path, str, list[re.Match[str]]]]:
    for pattern, around in PLACES:
        found = False
        for path in sorted(ROOT.glob(pattern)):
            text = path.read_text(encoding="utf-8")
            matches = list(re.finditer(around, text, re.MULTILINE))
            if matches:
                found = True
                yield path, text, matches
        if not found:
            raise SystemExit(f"tools/version.py expects the version in {pattern}, where it is no more")


def current() -> str:
    _, _, matches = next(places())
    return matches[0]["version"]


def notes(version: str) -> str | None:
    """What the changelog has under the heading of a version that was released."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$"
    section = re.search(rf"{heading}(.*?)(?=^## |^\[|\Z)", changelog, re.MULTILINE | re.DOTALL)
    return section and section[1].strip()


def check(tag: str | None) -> None:
    version = current()
    others = [
        f"{path.relative_to(ROOT)} says {match['version']}"
        for path, _, matches in places()
        for match in matches
        if match["version"] != version
    ]
    if tag is not None and tag != f"v{version}":
        others.append(f"the tag says {tag}")
    if tag is not None and not notes(version):
        others.append(f"CHANGELOG.md says nothing under a heading \"## [{version}] - YYYY-MM-DD\"")
    if others:
        raise SystemExit("\n".join([f"Cargo.toml says {version}, but", *others]))
    print(f"the version is {version} everywhere")


def write(version: str) -> None:
    if not re.fullmatch(VERSION, version):
        raise SystemExit(f"{version} is no version: three numbers, as in 1.2.3")
    for path, text, matches in places():
        for match in reversed(matches):
            start, end = match.span("version")
            text = text[:start] + version + text[end:]
        path.write_text(text, encoding="utf-8")
    print("now: make sdk, and a heading in CHANGELOG.md")


def main(arguments: list[str]) -> None:
    match arguments:
        case []:
            print(current())
        case ["check"]:
            check(None)
        case ["check", tag]:
            check(tag)
        case ["set", version]:
            write(version)
        case ["notes"]:
            print(notes(current()) or "")
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
