# SPDX-License-Identifier: Apache-2.0
"""`make docs`: writes docs/configuration.md again from the declarations in fastmdns/config.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from fastmdns.reference import reference

Path("docs/configuration.md").write_text(reference(), "utf-8")
