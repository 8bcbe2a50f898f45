#!/usr/bin/env bash
# Builds each SDK as somebody who has only that package would, and compiles or runs the example of its README with it.
# Works on copies under .tools/sdks, where dependencies are kept from one run to the next.
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

check_nodejs() {
    local sdk=$work/nodejs app=$work/nodejs-app
    copy "$sdks/nodejs" "$sdk"
    if stale "$sdk/.stamp" "$sdk/package.json"; then
        (cd "$sdk" && npm install --ignore-scripts --no-audit --no-fund --loglevel=error)
        cp "$sdk/package.json" "$sdk/.stamp"
    fi
    (cd "$sdk" && npm run --silent build)

    mkdir -p "$app/node_modules"
    ln -sfn "$sdk" "$app/node_modules/pulumi-lambda-rollout"
    cp "$templates/example.ts" "$app/"
    "$sdk/node_modules/.bin/tsc" --noEmit --strict --skipLibCheck --module nodenext "$app/example.ts"
    (cd "$app" && node -e '
        const sdk = require("pulumi-lambda-rollout");
        for (const name of ["FunctionRollout", "FunctionAlias", "LambdaDeployment", "DeploymentWaiter", "Provider", "getDeployment", "getRollout"])
            if (typeof sdk[name] !== "function") throw new Error(`${name} is not exported`);
        if (sdk.types.enums.StrategyType.Canary !== "canary") throw new Error("the enums are not exported");
    ')
    echo "nodejs: compiles, loads, and its example compiles"
}

check_go() {
    local sdk=$work/go
    copy "$sdks/go/lambdarollout" "$sdk"
    mkdir -p "$sdk/example"
    cp "$templates/example.go.txt" "$sdk/example/main.go"
    (cd "$sdk" && go mod tidy -diff && go vet ./...)
    echo "go: compiles with its example, and go.mod is tidy"
}

check_python() {
    local sdk=$work/python venv=$work/python-venv
    copy "$sdks/python" "$sdk"
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
    if stale "$venv/.stamp" "$sdk/pyproject.toml"; then
        "$venv/bin/pip" install --quiet --disable-pip-version-check --upgrade setuptools wheel "$sdk"
        cp "$sdk/pyproject.toml" "$venv/.stamp"
    fi
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation --force-reinstall "$sdk"
    (cd "$venv" && bin/python "$root/tools/run_with_mocks.py" "$templates/example.py")
    echo "python: installs, and its example runs"
}

[ $# -gt 0 ] || set -- nodejs go python
for language; do "check_$language"; done
