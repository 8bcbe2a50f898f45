#!/usr/bin/env bash
# Prints how much the SDK adds to a bundled hook: everything that `rollout` needs, minified, in one file.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

bundle=$(echo 'export { rollout } from "./src/index.js"' |
    node_modules/.bin/esbuild --bundle --minify --platform=node --target=node20 --format=esm)
echo "bundled: $(wc -c <<< "$bundle") bytes, compressed: $(gzip -9 <<< "$bundle" | wc -c) bytes"
