#!/usr/bin/env bash
# Checks the types of the examples in TypeScript, of the one for SST beside declarations of our own, and of the one in
# YAML after its translation. All at once and in a copy, because most of the time goes into reading the AWS SDK's types.
#
#   check.sh YAML_JS: the compiled tests/examples/yaml.ts
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

mkdir "$copy/examples"
cp -R "$root/examples/." "$copy/examples"
cp "$here/tsconfig.examples.json" "$copy"
mkdir -p "$copy/examples/sst/.sst/platform"
cp "$here/sst/config.d.ts" "$copy/examples/sst/.sst/platform/"
cp "$here/sst/resources.d.ts" "$copy/examples/sst/"
node -e 'require(process.argv[1]).translate(process.argv[2])' "$1" "$copy/examples/one-line-yaml"
ln -s "$root/node_modules" "$copy/node_modules"
"$root/node_modules/.bin/tsc" --project "$copy/tsconfig.examples.json"
