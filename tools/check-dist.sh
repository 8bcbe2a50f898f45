#!/usr/bin/env bash
# Installs what dist.sh has packed with the real CLI into an empty home: by hand, and as the CLI downloads it when a program
# uses an SDK. Then asks the installed plugin for its schema.
#
#   check-dist.sh FOLDER [--debug]
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dist=$(cd "$1" && pwd)
version=$(python3 "$root/tools/version.py")
pulumi=$("$root/tools/pulumi.sh")
binary="pulumi-resource-lambda-rollout"
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT

export PULUMI_HOME=$home/pulumi PULUMI_BACKEND_URL=file://$home
export PULUMI_SKIP_UPDATE_CHECK=true PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true

fail() {
    echo "$1" >&2
    exit 1
}

verify() { if command -v sha256sum > /dev/null; then sha256sum --check "$@"; else shasum --algorithm 256 --check "$@"; fi; }

# schema FILE: what the CLI is told by the plugin that it finds.
schema() { (cd "$home" && "$pulumi" package get-schema "lambda-rollout@$version") > "$1"; }

is_listed() {
    "$pulumi" plugin ls --json > "$home/plugins.json"
    python3 - "$home/plugins.json" "$version" <<'PYTHON'
import json, sys
plugins = [(plugin["kind"], plugin["name"], plugin["version"]) for plugin in json.load(open(sys.argv[1]))]
assert plugins == [("resource", "lambda-rollout", sys.argv[2])], f"the CLI lists {plugins}"
PYTHON
}

cd "$dist"
verify --quiet checksums.txt
archives=("$binary-v$version"-*.tar.gz)
archive=${archives[0]}
[ -e "$archive" ] && [ ${#archives[@]} = 1 ] || fail "$dist shall have one archive of version $version, and has: ${archives[*]}"
inside=$(tar -tzf "$archive" | tr '\n' ' ')
[ "$inside" = "LICENSE README.md $binary " ] || fail "$archive has other files than it should: $inside"

# Otherwise the last question of this script would say nothing about what is installed here.
if schema "$home/elsewhere.json" 2> /dev/null; then fail "the CLI finds a plugin before one is installed"; fi
"$pulumi" plugin install resource lambda-rollout "$version" --file "$archive"
is_listed

"$pulumi" plugin rm --yes resource lambda-rollout "$version" > /dev/null
read -r wanted server < <(python3 -c 'import json, sys; sdk = json.load(open(sys.argv[1])); print(sdk["version"], sdk["server"])' \
    "$root/sdk-gen/python/pulumi_lambda_rollout/pulumi-plugin.json")
python3 "$root/tools/dist/serve.py" "$dist" "$server" \
    "$pulumi" plugin install resource lambda-rollout "$wanted" --server "$server"
is_listed

schema "$home/schema.json"
python3 - "$home/schema.json" "$root/schema.json" <<'PYTHON'
import json, sys
told, ours = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
assert told == ours, "the installed plugin tells another schema than schema.json"
PYTHON

installed=$PULUMI_HOME/plugins/resource-lambda-rollout-v$version/$binary
# A debug build has the features of all tests, too, and so may have crates that are not shipped.
[ "${2:-}" = --debug ] || python3 "$root/tools/dist/check_sbom.py" "$installed" "${archive%.tar.gz}.cdx.json"

# What was installed is another file, of another time: it must give the same archive.
seconds=$(python3 -c 'import sys, tarfile; print(tarfile.open(sys.argv[1]).next().mtime)' "$archive")
python3 "$root/tools/dist/archive.py" "$installed" "$binary" "$seconds" "$home/again.tar.gz"
cmp "$archive" "$home/again.tar.gz"
echo "$archive: installs, downloads, tells its schema, and is the same when packed again"
