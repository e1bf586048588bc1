#!/bin/sh
# Run the Spark job on this machine, in Spark's own environment; needs Java 17, and Maven the first time.
#
# usage: .make/spark.sh --catalog-uri URI --warehouse PLACE [OPTION...]     (see docs/guide/graph-spark.md)
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
environment=$("$root/.make/alone.sh" spark)
jars=$("$environment/bin/python" "$root/.make/jars.py" $(grep -v '^#' "$root/.make/spark.jars"))
for jar in $jars; do
    set -- --jar "$jar" "$@"
done
export PYTHONPATH="$root/runtime/spark/src:$root/constructs/contracts/src"
exec "$environment/bin/python" -P -m aeterna.spark --master "local[*]" "$@"
