#!/usr/bin/env bash
# Packs each SDK as it is published, installs the package into an empty project, and compiles or runs the example of its
# README there. Works on copies under .tools/sdks, where what only building needs is kept from one run to the next.
#
#   check-sdks.sh [nodejs] [go] [python]
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
sdks=$root/sdk-gen
templates=$root/tools/sdkgen/templates
work=$root/.tools/sdks

# copy FROM TO: the files of FROM, without what earlier versions of it had, but with the dependencies that TO has.
copy() {
    mkdir -p "$2"
    find "$2" -mindepth 1 -maxdepth 1 ! -name node_modules ! -name package-lock.json ! -name .stamp -exec rm -rf {} +
    tar -C "$1" --exclude=node_modules --exclude=bin --exclude=__pycache__ -cf - . | tar -C "$2" -xf -
}

# stale STAMP FILE: whether FILE is another one than when the stamp was made.
stale() { ! cmp -s "$1" "$2"; }

# empty FOLDER
empty() {
    rm -rf "$1"
    mkdir -p "$1"
}

check_nodejs() {
    local sdk=$work/nodejs app=$work/nodejs-app
    copy "$sdks/nodejs" "$sdk"
    if stale "$sdk/.stamp" "$sdk/package.json"; then
        (cd "$sdk" && npm install --ignore-scripts --no-audit --no-fund --loglevel=error)
        cp "$sdk/package.json" "$sdk/.stamp"
    fi
    empty "$app"
    (cd "$sdk" && npm pack --silent --pack-destination "$app" > /dev/null)

    cp "$templates/example.ts" "$app/"
    echo '{ "private": true }' > "$app/package.json"
    (
        cd "$app"
        npm install --prefer-offline --no-audit --no-fund --loglevel=error ./pulumi-lambda-rollout-*.tgz @types/node@20 typescript@5 > /dev/null
        npx --no-install tsc --noEmit --strict --skipLibCheck --module nodenext example.ts
        node -e '
            const sdk = require("pulumi-lambda-rollout");
            for (const name of ["FunctionRollout", "FunctionAlias", "LambdaDeployment", "DeploymentWaiter", "Provider", "getDeployment", "getRollout"])
                if (typeof sdk[name] !== "function") throw new Error(`${name} is not exported`);
            if (sdk.types.enums.StrategyType.Canary !== "canary") throw new Error("the enums are not exported");
        '
        node --input-type=module -e '
            import * as sdk from "pulumi-lambda-rollout";
            import { FunctionRollout } from "pulumi-lambda-rollout";
            if (sdk.FunctionRollout !== FunctionRollout) throw new Error("modules import something else");
        '
        has node_modules/pulumi-lambda-rollout README.md bin/index.js bin/index.d.ts
    )
    echo "nodejs: the package installs and loads, and its example compiles"
}

check_go() {
    local sdk=$work/go app=$work/go-app
    copy "$sdks/go/lambdarollout" "$sdk"
    (cd "$sdk" && go mod tidy -diff && go vet ./...)
    has "$sdk" README.md

    empty "$app"
    cp "$templates/example.go.txt" "$app/main.go"
    cp "$sdk/go.sum" "$app/"
    # What `go get` would write, with the module taken from here.
    local module
    module=$(cd "$sdk" && go list -m)
    (
        cd "$app"
        sed "s|^module .*|module example|" "$sdk/go.mod" > go.mod
        go mod edit -require "$module@v0.1.0" -replace "$module=$sdk"
        go mod tidy
        go build -o example .
    )
    echo "go: the module is tidy, and its example builds in a module of its own"
}

check_python() {
    local sdk=$work/python builder=$work/python-builder app=$work/python-app
    copy "$sdks/python" "$sdk"
    if [ ! -x "$builder/bin/pip" ]; then
        python3 -m venv "$builder"
        "$builder/bin/pip" install --quiet --disable-pip-version-check setuptools wheel
    fi
    empty "$app"
    "$builder/bin/pip" wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir "$app" "$sdk"

    python3 -m venv "$app/venv"
    "$app/venv/bin/pip" install --quiet --disable-pip-version-check "$app"/*.whl
    (cd "$app" && venv/bin/python "$root/tools/run_with_mocks.py" "$templates/example.py")
    has "$app"/venv/lib/python3*/site-packages/pulumi_lambda_rollout py.typed pulumi-plugin.json
    "$app/venv/bin/pip" show --verbose pulumi-lambda-rollout > "$app/about"
    grep -q "^Version: $(sed -nE 's/^ *version = "(.*)"/\1/p' "$sdk/pyproject.toml")" "$app/about"
    echo "python: the wheel installs, and its example runs"
}

# has FOLDER FILE...: fails unless the package brought these.
has() {
    local folder=$1 file
    shift
    for file; do
        [ -e "$folder/$file" ] || { echo "the package has no $file" >&2; return 1; }
    done
}

[ $# -gt 0 ] || set -- nodejs go python
for language; do "check_$language"; done
