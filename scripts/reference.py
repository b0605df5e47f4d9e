# SPDX-License-Identifier: Apache-2.0
"""`make docs`: writes the references below docs/ again, from the declarations in the package."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from control.reference import reference as control_reference
from fastmdns.reference import metrics_reference, reference

Path("docs/configuration.md").write_text(reference(), "utf-8")
Path("docs/control-configuration.md").write_text(control_reference(), "utf-8")
Path("docs/metrics.md").write_text(metrics_reference(), "utf-8")
