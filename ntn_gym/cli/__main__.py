"""Run the command line with ``python -m ntn_gym.cli``."""

import sys

from ntn_gym.cli import main

sys.exit(main())
