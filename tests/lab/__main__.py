# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Entry point of `python -m lab`."""

from __future__ import annotations

import sys

from lab.cli import main

sys.exit(main())
