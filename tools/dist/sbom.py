"""Writes what the provider's binary is made of, as a CycloneDX bill of materials in JSON.

    sbom.py TARGET SECONDS FILE

`cargo tree` is asked, and not `cargo metadata`, from which most tools for this read: that one mixes in the features
that tests and other members of the workspace ask for, and so names crates that are not in the binary.
"""

import json
import re
import subprocess
import sys
import tomllib
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "lambda-rollout"
REPOSITORY = "https://github.com/lambda-rollout/pulumi-lambda-rollout"

# Depth and name, version, where it lies if not at crates.io, licence, features; and whether it was told before.
LINE = re.compile(r"(\d+)(\S+) v(\S+)(?: \(.*\))?\|(.*)\|(.*?)( \(\*\))?")


def tree(target: str) -> list[str]:
    """The crates whose code is in the binary: not what builds it, not what tests it."""
    edges = ["--edges", "normal,no-proc-macro"]
    shape = ["--prefix", "depth", "--format", "{p}|{l}|{f}"]
    command = ["cargo", "tree", "--locked", "--package", PACKAGE, "--target", target, *edges, *shape]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout.splitlines()


def checksums() -> dict[tuple[str, str], str]:
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text(encoding="utf-8"))
    return {(crate["name"], crate["version"]): crate["checksum"] for crate in lock["package"] if "checksum" in crate}


def licence(words: str) -> str:
    """Some crates still write the slash that meant "or" before SPDX had expressions."""
    return re.sub(r"\s*/\s*", " OR ", words)


def component(name: str, version: str, words: str, features: str, sha256: str) -> dict:
    purl = f"pkg:cargo/{name}@{version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "hashes": [{"alg": "SHA-256", "content": sha256}],
        "licenses": [{"expression": licence(words)}],
        "purl": purl,
        "properties": [{"name": "cargo:features", "value": features}],
    }


def read(target: str) -> tuple[dict, list[dict], dict[str, set[str]]]:
    """The provider itself, the crates in it, and for each of all these what it uses."""
    known = checksums()
    product: dict = {}
    crates: dict[str, dict] = {}
    uses: dict[str, set[str]] = {}
    above: list[str] = []
    for line in tree(target):
        match = LINE.fullmatch(line)
        if not match:
            raise SystemExit(f"cargo tree says what is not understood: {line}")
        depth, name, version, words, features, _ = match.groups()
        if depth == "0":
            ref = f"pkg:github/{REPOSITORY.removeprefix('https://github.com/')}@v{version}"
            product = {
                "type": "application",
                "bom-ref": ref,
                "name": f"pulumi-resource-{PACKAGE}",
                "version": version,
                "licenses": [{"expression": words}],
                "purl": ref,
                "externalReferences": [{"type": "vcs", "url": REPOSITORY}],
            }
        else:
            crate = component(name, version, words, features, known[name, version])
            ref = crate["bom-ref"]
            crates.setdefault(ref, crate)
            uses[above[int(depth) - 1]].add(ref)
        uses.setdefault(ref, set())
        above[int(depth) :] = [ref]
    return product, [crates[ref] for ref in sorted(crates)], uses


def main(target: str, seconds: str, file: str) -> None:
    product, crates, uses = read(target)
    compiler = subprocess.run(["rustc", "--version"], check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout.strip()
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(int(seconds), timezone.utc).isoformat(),
            "lifecycles": [{"phase": "build"}],
            "component": product,
            "properties": [{"name": "rust:compiler", "value": compiler}, {"name": "rust:target", "value": target}],
        },
        "components": crates,
        "dependencies": [{"ref": ref, "dependsOn": sorted(uses[ref])} for ref in sorted(uses)],
    }
    Path(file).write_bytes((json.dumps(bill, indent=2) + "\n").encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
