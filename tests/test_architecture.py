# SPDX-License-Identifier: Apache-2.0
"""The walls of the house: who may import whom, what the package never imports, and how long things may grow."""

from __future__ import annotations

import ast
import re
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# A module imports only what stands above it. A new one gets its place here.
LAYERS = """
    fastmdns errors rrtypes wire name shapes rdata_wire rdata_parse rdata_print rdata counters records message tsig
    signer zonetext generate zonefile compress image store access answer config incoming client reference server
    server.system server.logs server.transferlog server.systemd server.process server.sockets server.board
    server.udp server.connection server.worker server.inotify server.notify server.loading server.exporter
    server.loader server.children server.master offline status cli __main__
"""
ORDER = LAYERS.split()
FORBIDDEN = {"flask", "sqlalchemy", "zmq", "gevent", "control", "bench", "tests"}
THIRD_PARTY = {"click", "dns", "lmdb", "rich", "libc", "posix", "cpython", "cython", "Cython"}
CYTHON_IMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+(c?import)\s+(.+)|c?import\s+([\w.]+))", re.MULTILINE)
CYTHON_FUNCTION = re.compile(
    r"^( *)(?:def|cdef|cpdef)\s[^=\n]*\((?:[^()]|\([^()]*\))*\)[^:\n]*:\s*(?:#.*)?$", re.MULTILINE
)


def modules() -> list[Path]:
    return sorted(path for path in (ROOT / "fastmdns").rglob("*") if path.suffix in (".py", ".pyx", ".pxd"))


def module_name(path: Path) -> str:
    """Without the package's own name in front; `fastmdns` for the package itself."""
    parts = path.relative_to(ROOT / "fastmdns").with_suffix("").parts
    return ".".join(parts).removesuffix("__init__").rstrip(".") or "fastmdns"


def imports(path: Path) -> Iterator[str]:
    """Full names of what a file imports, cimports, or includes, wherever in the file it does."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{path}: relative import"
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
        return
    for source, _, names, plain in CYTHON_IMPORT.findall(text):
        if plain:
            yield plain
        else:
            yield from (f"{source}.{word.split(' as ')[0].strip(' ()')}" for word in names.split(","))


def ours(imported: str) -> str | None:
    """The module of the package that an import reaches, or None where it reaches outside."""
    if imported.split(".")[0] != "fastmdns":
        return None
    parts = imported.split(".")[1:]
    while parts and ".".join(parts) not in ORDER:
        parts.pop()
    return ".".join(parts) or "fastmdns"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_module_imports_only_what_stands_above_it(path: Path) -> None:
    name = module_name(path)
    assert name in ORDER, f"give {name} its place in ORDER"
    above = ORDER[: ORDER.index(name) + (path.suffix == ".pyx")]  # a .pyx reads its own .pxd
    wrong = {imported for imported in imports(path) if (reached := ours(imported)) and reached not in above}
    assert not wrong


def test_every_place_is_taken() -> None:
    assert set(ORDER) - {"fastmdns", "server"} <= {module_name(path) for path in modules()}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_package_needs_the_standard_library_and_four_others(path: Path) -> None:
    roots = {imported.split(".")[0] for imported in imports(path)}
    assert not roots & FORBIDDEN
    unknown = roots - {"fastmdns", "__future__", ""} - THIRD_PARTY - sys.stdlib_module_names
    assert not unknown


def python_sizes() -> dict[str, int]:
    return {
        f"{module_name(path)}.{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in modules()
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def cython_sizes() -> dict[str, int]:
    """Lines from each function's head to the last line that is indented deeper."""
    sizes = {}
    for path in modules():
        if path.suffix != ".pyx":
            continue
        text = path.read_text("utf-8")
        for match in CYTHON_FUNCTION.finditer(text):
            depth = len(match[1])
            body = text[match.end() :].split("\n")[1:]
            end = next(
                (i for i, line in enumerate(body) if line.strip() and not line.startswith(" " * (depth + 1))), len(body)
            )
            while end and not body[end - 1].strip():
                end -= 1
            sizes[f"{module_name(path)}:{text.count(chr(10), 0, match.start()) + 1}"] = match[0].count("\n") + 1 + end
    return sizes


@pytest.mark.parametrize("sizes", [python_sizes(), cython_sizes()], ids=["python", "cython"])
def test_functions_stay_short(sizes: dict[str, int]) -> None:
    lengths = sorted(sizes.values())
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:10]
    assert statistics.median(lengths) <= 10, largest
    assert lengths[len(lengths) * 9 // 10] < 35, largest


def test_every_module_says_what_it_promises() -> None:
    """A docstring of at most ten lines behind one SPDX line; a .pyi repeats what its .pyx says."""
    for path in modules():
        text = path.read_text("utf-8")
        if not text:
            continue
        head = re.match(r'# SPDX-License-Identifier: Apache-2\.0\n(?:r?"""(.*?)""")?', text, re.DOTALL)
        assert head, f"{path}: no SPDX line"
        has_pxd = path.suffix == ".pyx" and path.with_suffix(".pxd").exists()
        assert head[1] or has_pxd, f"{path}: no docstring"
        assert head[1] is None or head[1].count("\n") < 14, f"{path}: a docstring of {head[1].count(chr(10))} lines"


def test_every_extension_says_what_python_sees() -> None:
    missing = [path.name for path in modules() if path.suffix == ".pyx" and not path.with_suffix(".pyi").exists()]
    assert not missing
