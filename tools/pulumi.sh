#!/usr/bin/env bash
# Prints the path of the Pulumi CLI to use: the one on the PATH if it is new enough, otherwise one built from its Go
# modules into .tools/bin. The first build takes several minutes; what happens is told on stderr.
set -euo pipefail

oldest=3.215.0
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
built=$(dirname "$tools")/.tools/bin/pulumi
package=github.com/pulumi/pulumi/pkg/v3

version_of() { PULUMI_SKIP_UPDATE_CHECK=true "$1" version 2>/dev/null | sed 's/^v//'; }

if found=$(command -v pulumi) && version=$(version_of "$found") && [ -n "$version" ] &&
    [ "$(printf '%s\n' "$oldest" "$version" | sort -V | head -n 1)" = "$oldest" ]; then
    echo "$found"
    exit
fi

wanted=$(cd "$tools" && go list -m -f '{{.Version}}' "$package")
if [ ! -x "$built" ] || [ "v$(version_of "$built")" != "$wanted" ]; then
    echo "Building the Pulumi CLI $wanted (some minutes, once)" >&2
    mkdir -p "$(dirname "$built")"
    # Built beside its place and moved there, so that nobody ever runs half a file.
    fresh=$(mktemp "$built.XXXXXX")
    trap 'rm -f "$fresh"' EXIT
    (cd "$tools" && go build -o "$fresh" \
        -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$wanted" \
        "$package/cmd/pulumi") >&2
    mv "$fresh" "$built"
fi
echo "$built"
