#!/usr/bin/env bash
# Packs the package, installs it into an empty project as a user would, and tests it from there; then its README.
#
#   check.sh FOLDER: where to put what a user would upload to Lambda: the hook of the README, and the package
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
tools=$here/node_modules/.bin
upload=$1
project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT

# Without the types of Node and without skipLibCheck, as the strictest user would.
typed() {
    "$tools/tsc" --noEmit --strict --exactOptionalPropertyTypes --target es2022 --lib es2022 "$@" typed.ts
    echo "types: $*"
}

# What only the tests need, beside the package.
borrow() {
    mkdir -p "$project/node_modules/$(dirname "$2")"
    ln -s "$1" "$project/node_modules/$2"
}

cd "$here"
./size.sh
npm pack --silent --pack-destination "$project" > /dev/null
cd "$project"
echo '{"private":true}' > package.json
npm install --offline --silent --no-audit --no-fund ./lambda-rollout-hooks-*.tgz

cp "$here"/test/package/* .
node imported.mjs 2> /dev/null
node required.cjs 2> /dev/null
typed --module nodenext --moduleResolution nodenext
typed --module esnext --moduleResolution bundler
typed --module commonjs --moduleResolution node10

borrow "$here/node_modules/@types/node" @types/node
borrow "$here/node_modules/aws4fetch" aws4fetch
cp -r "$here/test" test
echo '{"type":"module"}' > test/package.json
"$tools/tsc" --strict --target es2022 --module nodenext --types node --outDir test test/*.test.ts
node --test --test-reporter="$here/../reporter.mjs" test/

python3 "$here/../readme.py" "$here/README.md" readme
borrow "$here/node_modules/esbuild" esbuild
borrow "$here/node_modules/.bin" .bin
borrow "$root/node_modules/@pulumi/aws" @pulumi/aws
borrow "$root/node_modules/@pulumi/pulumi" @pulumi/pulumi
borrow "$root/node_modules/pulumi-lambda-rollout" pulumi-lambda-rollout
cd readme
echo '{"type":"module"}' > package.json
bash commands.sh 2> /dev/null
"$tools/tsc" --strict --skipLibCheck --target es2022 --module nodenext --types node ./*.ts
node --test --test-reporter="$here/../reporter.mjs" hook.test.js
echo "README: compiles, bundles, and its test passes"

rm -rf "$upload"
mkdir -p "$upload/node_modules"
cp dist/hook.js "$upload"
cp -r ../node_modules/lambda-rollout-hooks "$upload/node_modules"
