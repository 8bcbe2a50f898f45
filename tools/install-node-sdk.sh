#!/usr/bin/env bash
# Compiles the Node SDK into node_modules/pulumi-lambda-rollout of this repository, with the repository's TypeScript and
# @pulumi/pulumi, so that demo, examples and tests import it by its published name. Needs `npm install` first.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=$root/node_modules/pulumi-lambda-rollout

rm -rf "$target"
mkdir -p "$target"
tar -C "$root/sdk-gen/nodejs" --exclude=node_modules --exclude=bin -cf - . | tar -C "$target" -xf -
(cd "$target" && npm run --silent build)
