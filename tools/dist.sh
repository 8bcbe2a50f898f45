#!/usr/bin/env bash
# Packs the provider for this machine, in the way that Pulumi installs plugins, with its SBOM and checksums.
#
#   dist.sh                  builds it as it is shipped, into dist/
#   dist.sh --debug FOLDER   takes the debug binary that is there: to try the packing itself
set -euo pipefail
cd "$(dirname "$0")/.."

# Amazon Linux 2023 and RHEL 9 have this one, and all that is newer runs it, too. docs/releasing.md names it.
oldest_glibc=2.34

# asks_for BINARY: the newest glibc whose symbols it needs.
asks_for() { LC_ALL=C readelf --wide --version-info "$1" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1 | cut -d _ -f 2; }

# is_fit BINARY: whether it runs where we say that it does.
is_fit() {
    local needed
    needed=$(asks_for "$1")
    if [ "$(printf '%s\n' "$needed" "$oldest_glibc" | sort -V | tail -n 1)" != "$oldest_glibc" ]; then
        echo "$1 asks for glibc $needed; it shall run with $oldest_glibc: build it where glibc is older" >&2
        return 1
    fi
}

binary=pulumi-resource-lambda-rollout
target=$(rustc --print host-tuple)
case $target in
    x86_64-unknown-linux-gnu) platform=linux-amd64 ;;
    aarch64-unknown-linux-gnu) platform=linux-arm64 ;;
    x86_64-apple-darwin) platform=darwin-amd64 ;;
    aarch64-apple-darwin) platform=darwin-arm64 ;;
    x86_64-pc-windows-msvc) platform=windows-amd64 binary=$binary.exe ;;
    *) echo "nothing is shipped for $target" >&2; exit 1 ;;
esac

if [ "${1:-}" = --debug ]; then
    built=target/debug/$binary dist=$2
else
    built=target/release/$binary dist=dist
    cargo build --release --locked --bin pulumi-resource-lambda-rollout
    case $platform in linux-*) is_fit "$built" ;; esac
fi

version=$(python3 tools/version.py)
name=pulumi-resource-lambda-rollout-v$version-$platform
seconds=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
rm -rf "$dist"
mkdir -p "$dist"
python3 tools/dist/archive.py "$built" "$binary" "$seconds" "$dist/$name.tar.gz"
python3 tools/dist/sbom.py "$target" "$seconds" "$dist/$name.cdx.json"
python3 tools/dist/checksums.py "$dist"
echo "$dist/$name.tar.gz"
