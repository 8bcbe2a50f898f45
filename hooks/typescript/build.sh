#!/usr/bin/env bash
# Compiles the package twice: for `import` and for `require`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

rm -rf dist
node_modules/.bin/tsc &
node_modules/.bin/tsc --project tsconfig.cjs.json
wait $!
# Says what the .js and .d.ts files of that folder are, whatever the package's own type is.
echo '{"type":"commonjs"}' > dist/cjs/package.json
