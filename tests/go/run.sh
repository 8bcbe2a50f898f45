#!/usr/bin/env bash
# The end-to-end test in Go. Always runs anew: what it tests is not in Go's cache.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
exec go test -count=1 ./...
