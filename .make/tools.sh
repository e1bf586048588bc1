#!/bin/sh
# Install what the tests need beside Python and make, on Debian 12 and as root; what is there already is left alone.
#
# usage: .make/tools.sh
#
# A developer's machine does not need it: a test whose tool is missing is skipped there and says why.
set -eu
cd "$(dirname "$0")/.."

# The package of each program, as in tests/fixtures/fix_needs.py.
PACKAGES="buildah:buildah debootstrap:debootstrap"

missing=""
for pair in $PACKAGES; do
    # Programs of administrators are not on everybody's PATH.
    PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair##*:}"
done

if [ -n "$missing" ]; then
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    printf 'installing%s ... ' "$missing" >&2
    # shellcheck disable=SC2086 - the names are separate arguments
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $missing; } \
        >"$log" 2>&1 </dev/null; then
        printf 'failed\n' >&2
        cat "$log" >&2
        exit 1
    fi
    printf 'done\n' >&2
fi

# Debian's own Go is older than what OpenTofu is written in, so it has to be on the machine.
if ! command -v go >/dev/null; then
    echo "error: no go on PATH; the offline tests of the infrastructure build OpenTofu with it. Install Go 1.25 or newer" >&2
    exit 1
fi

# The scanner of the plans has an environment of its own, named after its lock as in tests/fixtures/checkov.py.
checkov="${XDG_CACHE_HOME:-$HOME/.cache}/aeterna/checkov-$(sha256sum requirements-checkov.lock | cut -c1-16)"
if [ ! -x "$checkov/bin/checkov" ]; then
    [ -x .venv/bin/uv ] || make venv >&2
    printf 'installing checkov ... ' >&2
    mkdir -p "$(dirname "$checkov")"
    scratch=$(mktemp -d "$checkov.XXXXXX")
    .venv/bin/uv venv --quiet --clear --relocatable --python .venv/bin/python "$scratch"
    .venv/bin/uv pip sync --quiet --compile-bytecode --require-hashes --python "$scratch/bin/python" requirements-checkov.lock
    mv "$scratch" "$checkov"
    printf 'done\n' >&2
fi
