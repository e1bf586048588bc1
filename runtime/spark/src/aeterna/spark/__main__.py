"""Run the job: ``python -P -m aeterna.spark``."""

import sys

from aeterna.spark.main import main

if __name__ == "__main__":
    sys.exit(main())
