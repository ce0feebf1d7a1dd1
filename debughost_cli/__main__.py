"""``python -m debughost_cli``."""

import sys

from debughost_cli.cli.app import main

sys.exit(main())
