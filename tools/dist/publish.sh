#!/usr/bin/env bash
# Publishes a release on GitHub with all files of a folder, and the tag by which Go finds its SDK. May be run again after
# it was cut short; what has been published is never changed. Reads the repository from GH_REPO and its token from GH_TOKEN.
#
#   publish.sh TAG COMMIT FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."

tag=$1 commit=$2 folder=$3
go_tag=sdk-gen/go/lambdarollout/$tag
notes=$(mktemp)
trap 'rm -f "$notes"' EXIT
python3 tools/version.py notes > "$notes"

# A draft until all files are there, so that nobody downloads a half of it.
draft=$(gh release view "$tag" --json isDraft --jq .isDraft 2> /dev/null || echo none)
if [ "$draft" = false ]; then
    echo "$tag has been published before"
else
    [ "$draft" = true ] || gh release create "$tag" --draft --verify-tag --title "$tag" --notes-file "$notes"
    gh release upload "$tag" --clobber "$folder"/*
    gh release edit "$tag" --draft=false
fi

if gh api "repos/$GH_REPO/git/ref/tags/$go_tag" > /dev/null 2>&1; then
    echo "$go_tag has been made before"
else
    gh api "repos/$GH_REPO/git/refs" --silent --raw-field "ref=refs/tags/$go_tag" --raw-field "sha=$commit"
fi
