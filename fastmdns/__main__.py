# SPDX-License-Identifier: Apache-2.0
"""The command `fastmdns`, as a script and as `python -m fastmdns`."""

import gc

gc.disable()  # nothing that an import makes is garbage: looking for some is a tenth of a start. main() enables it again

from fastmdns.cli import main  # noqa: E402

if __name__ == "__main__":
    main()
