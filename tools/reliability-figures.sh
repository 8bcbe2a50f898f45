#!/usr/bin/env bash
# Prints the rows of a long run as a table, and puts it into the guide: reliability-figures.sh LOG GUIDE
set -euo pipefail

log=$1 guide=$2
table=$({
    echo "| scenario | runs | violations |"
    echo "| --- | ---: | ---: |"
    sed -n 's/^soak | \(.*\)$/| \1 |/p' "$log"
})
echo "$table"
awk -v table="$table" '
    /<!-- figures -->/ { print; print table; skip = 1 }
    /<!-- \/figures -->/ { skip = 0 }
    !skip || /<!-- \/figures -->/ { if (!/<!-- figures -->/) print }
' "$guide" > "$guide.new"
mv "$guide.new" "$guide"
