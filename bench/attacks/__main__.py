"""``python -m bench.attacks``."""

import sys

from bench.attacks import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
