#!/bin/sh
# Make the environment of a tool that is resolved by itself, unless it is there, and print its folder.
#
# usage: .make/alone.sh TOOL
#
# It is named after requirements-TOOL.lock, so a changed lock is another environment; tests/fixtures name it likewise.
set -eu
cd "$(dirname "$0")/.."
tool=$1
lock="requirements-$tool.lock"
environment="${XDG_CACHE_HOME:-$HOME/.cache}/aeterna/$tool-$(sha256sum "$lock" | cut -c1-16)"
if [ ! -d "$environment" ]; then
    [ -x .venv/bin/uv ] || make venv >&2
    printf 'installing %s ... ' "$tool" >&2
    mkdir -p "$(dirname "$environment")"
    # Complete or not there at all: an interrupted installation leaves only a scratch folder.
    scratch=$(mktemp -d "$environment.XXXXXX")
    .venv/bin/uv venv --quiet --clear --relocatable --python .venv/bin/python "$scratch"
    .venv/bin/uv pip sync --quiet --compile-bytecode --require-hashes --python "$scratch/bin/python" "$lock"
    mv "$scratch" "$environment"
    printf 'done\n' >&2
fi
echo "$environment"
