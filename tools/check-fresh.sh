#!/usr/bin/env bash
# Generates the SDKs again, elsewhere, and fails if the committed ones differ from that.
set -euo pipefail

tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sdks=$(dirname "$tools")/sdk-gen
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT

(cd "$tools" && go run ./sdkgen ../schema.json "$fresh")

stale=0
for language in nodejs go python; do
    # What a build leaves behind is ignored by git, so it is ignored here.
    diff -ru -x node_modules -x bin -x package-lock.json -x build -x dist -x __pycache__ -x '*.egg-info' \
        "$sdks/$language" "$fresh/$language" || stale=1
done
if [ "$stale" = 1 ]; then
    echo "sdk-gen is not what schema.json gives: run 'cd tools && go run ./sdkgen ../schema.json ../sdk-gen'" >&2
    exit 1
fi
echo "sdk-gen is what schema.json gives"
