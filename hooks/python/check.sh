#!/usr/bin/env bash
# Makes the wheel, installs it into an empty environment as a user would, and tests it from there; then its README.
#
#   check.sh VENV FOLDER: the environment with what requirements.txt names; and where to put what a user would upload to
#   Lambda: the hook of the README, and the package
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
tools=$1
upload=$2
project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT

# quietly WHAT COMMAND…: says that it went well, or what it printed.
quietly() {
    local printed
    printed=$("${@:2}" 2>&1) || { echo "$printed"; exit 1; }
    echo "$1: $(tail -n 1 <<< "$printed")"
}

loosely() { "$tools/bin/mypy" --python-executable "$python" --cache-dir "$project/mypy" "$@"; }
typed() { loosely --strict "$@"; }

# From a copy: setuptools builds beside the sources.
cp -r "$here" "$project/source"
"$tools/bin/pip" wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir "$project" "$project/source"
rm -rf "$project/source"

cd "$project"
python3 -m venv --without-pip empty
python=$project/empty/bin/python
site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$tools/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$site" ./*.whl
quietly "without boto3" "$python" -c 'from lambda_rollout_hooks import rollout; print("imports")'

quietly types typed --ignore-missing-imports "$site/lambda_rollout_hooks"
# Lambda's runtime has boto3 where this environment borrows it from.
"$tools/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$site/runtime.pth"
cp -r "$here/test" test
quietly "types of the tests" typed test
quietly tests "$python" -m unittest discover --buffer test

"$python" "$here/../readme.py" "$here/README.md" readme
cd readme
PIP_NO_INDEX=1 PIP_FIND_LINKS=$project PIP_QUIET=1 PATH=$tools/bin:$PATH bash commands.sh 2> /dev/null
quietly "types in the README" typed hook.py later.py test_hook.py
# Pulumi itself is not installed here: what is checked is that the rollout's SDK has what is used of it.
export MYPYPATH=$root/sdk-gen/python
quietly "the README's Pulumi program" loosely --ignore-missing-imports --follow-imports=silent __main__.py
quietly "the README's test" "$python" -m unittest --buffer test_hook.py

rm -rf "$upload"
cp -r dist "$upload"
