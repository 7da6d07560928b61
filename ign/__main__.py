"""``python -m ign`` is the command ``ign``."""

from ign.cli import main

raise SystemExit(main())
