#!/usr/bin/env bash
# Installs what the examples need besides what all tests have: the hook SDK by its published name, and a Python with
# Pulumi's packages.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
venv=$root/.tools/examples
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

"$root/hooks/typescript/build.sh"
hooks=$root/node_modules/lambda-rollout-hooks
rm -rf "$hooks"
mkdir -p "$hooks"
cp -R "$root/hooks/typescript/dist" "$root/hooks/typescript/package.json" "$hooks"

python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
# A copy, because building leaves files behind.
cp -R "$root/sdk-gen/python" "$copy/sdk"
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --force-reinstall "$copy/sdk"
