#!/usr/bin/env bash
# Makes the packages that a release publishes, of what is committed: the SDKs for Node and Python, and the hook SDKs.
#
#   packages.sh FOLDER: gets npm/*.tgz and pypi/*
set -euo pipefail
cd "$(dirname "$0")/.."

packages=$(mkdir -p "$1" && cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

rm -rf "$packages/npm" "$packages/pypi"
mkdir -p "$packages/npm" "$packages/pypi"
git archive HEAD LICENSE sdk-gen hooks | tar -x -C "$work"
for sdk in nodejs python; do cp "$work/LICENSE" "$work/sdk-gen/$sdk"; done

(cd "$work/sdk-gen/nodejs" && npm install --ignore-scripts --no-audit --no-fund --loglevel=error)
(cd "$work/hooks/typescript" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
for package in sdk-gen/nodejs hooks/typescript; do
    (cd "$work/$package" && npm pack --silent --pack-destination "$packages/npm" > /dev/null)
done

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check build
for package in sdk-gen/python hooks/python; do
    "$work/venv/bin/python" -m build --outdir "$packages/pypi" "$work/$package" > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
done

version=$(python3 tools/version.py)
for package in \
    npm/pulumi-lambda-rollout-"$version".tgz npm/lambda-rollout-hooks-"$version".tgz \
    pypi/pulumi_lambda_rollout-"$version"{-py3-none-any.whl,.tar.gz} pypi/lambda_rollout_hooks-"$version"{-py3-none-any.whl,.tar.gz}; do
    # Listed to the end, because a pipe that is closed early is an error here.
    case $package in *.whl) inside=$(python3 -m zipfile --list "$packages/$package") ;; *) inside=$(tar -tzf "$packages/$package") ;; esac
    grep --quiet LICENSE <<< "$inside" || { echo "$package has no LICENSE" >&2; exit 1; }
    echo "$packages/$package"
done
