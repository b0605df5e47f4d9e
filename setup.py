# SPDX-License-Identifier: Apache-2.0
"""Extensions only; everything else about the package stands in pyproject.toml."""

import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

# Bounds are checked by the cursors of wire.pxd, once per field; Python-style index checks would check them again.
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": True,
    "embedsignature": True,
}
COMPILE = os.environ.get("FASTMDNS_CFLAGS", "-O3 -g0 -fno-strict-aliasing -Wno-unreachable-code").split()
LINK = os.environ.get("FASTMDNS_LDFLAGS", "").split()


def extension(path: Path) -> Extension:
    """The extension module a .pyx file makes."""
    module = ".".join(path.with_suffix("").parts)
    return Extension(module, [str(path)], extra_compile_args=COMPILE, extra_link_args=LINK)


# What is installed holds the package; a build in place also has the load client of bench/. `none` is for an editable
# install, whose extensions `make build` compiles in place.
EXTENSIONS = os.environ.get("FASTMDNS_EXTENSIONS", "all" if "--inplace" in sys.argv else "package")
PACKAGES = {"none": (), "package": ("fastmdns",), "all": ("fastmdns", "bench")}[EXTENSIONS]
SOURCES = sorted(path for package in PACKAGES for path in Path(package).rglob("*.pyx"))

setup(
    ext_modules=cythonize(
        [extension(path) for path in SOURCES],
        compiler_directives=DIRECTIVES,
        nthreads=0,
        show_all_warnings=False,
    )
)
