#!/bin/sh
# Install what the tests need beside Python and make, on Debian 12 and as root; what is there already is left alone.
#
# usage: .make/tools.sh
#
# A developer's machine does not need it: a test whose tool is missing is skipped there and says why.
set -eu
cd "$(dirname "$0")/.."

# The package of each program, as in tests/fixtures/fix_needs.py.
PACKAGES="buildah:buildah debootstrap:debootstrap etcd:etcd-server git:git ip:iproute2 javac:default-jdk-headless mvn:maven redis-server:redis-server"

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

# The scanner of the plans, OPAL and Spark have environments of their own; Spark also wants libraries for Java.
.make/alone.sh checkov >/dev/null
.make/alone.sh opal >/dev/null
spark=$(.make/alone.sh spark)
if command -v java >/dev/null && command -v mvn >/dev/null; then
    # shellcheck disable=SC2046 - one argument for each library
    "$spark/bin/python" .make/jars.py $(grep -v '^#' .make/spark.jars) >/dev/null
fi
