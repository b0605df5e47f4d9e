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
# The same of the control plane. A name with .* is a package whose files may import each other, but in no circle.
CONTROL_LAYERS = """
    control errors context model names scopes recorddata fieldforms compoundforms structured soa zonefiles policy
    policy_file config reference metrics secrets floatingips rules.* storage.* central.* identity.* jobs
    api.* serving cli.*
"""
CONTROL_ORDER = CONTROL_LAYERS.split()
# Library → the layers that may know of it. What is not here, and not in the standard library, nobody imports.
CONTROL_THIRD_PARTY = {
    "sqlalchemy": {"storage.*"},
    "sqlalchemy.Connection": {"storage.*", "central.*", "identity.*"},  # an open transaction, to hand on
    "alembic": {"storage.*"},
    "flask": {"api.*"},
    "werkzeug": {"api.*"},
    "pydantic": {"config", "reference", "api.*"},
    "jinja2": {"api.*"},
    "pydantic_core": {"api.*"},
    "prometheus_client": {"metrics"},
    "argon2": {"identity.*"},
    "cryptography": {"secrets"},
    "keystoneauth1": {"floatingips"},
    "regex": {"rules.*"},
    "yaml": {"policy_file", "cli.*"},
    "dns": {"recorddata", "structured", "fieldforms", "compoundforms"},
    "gunicorn": {"serving"},
    "gevent": {"serving", "identity.*"},
    "keystonemiddleware": {"api.*"},
    "oslo_config": {"api.*"},
    "click": {"cli.*"},
    "rich": {"cli.*"},
}
FORBIDDEN = {"flask", "sqlalchemy", "zmq", "gevent", "control", "bench", "tests"}
THIRD_PARTY = {"click", "dns", "lmdb", "rich", "libc", "posix", "cpython", "cython", "Cython"}
CYTHON_IMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+(c?import)\s+(.+)|c?import\s+([\w.]+))", re.MULTILINE)
CYTHON_FUNCTION = re.compile(
    r"^( *)(?:def|cdef|cpdef)\s[^=\n]*\((?:[^()]|\([^()]*\))*\)[^:\n]*:\s*(?:#.*)?$", re.MULTILINE
)


def modules(package: str = "fastmdns") -> list[Path]:
    return sorted(path for path in (ROOT / package).rglob("*") if path.suffix in (".py", ".pyx", ".pxd"))


def module_name(path: Path) -> str:
    """Without the package's own name in front; `fastmdns` for the package itself."""
    package, *parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix("__init__").rstrip(".") or package


def imports(path: Path) -> Iterator[str]:
    """Full names of what a file imports, cimports, or includes, wherever in the file it does."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        tree = ast.parse(text)
        only_for_types = set(imports_for_types(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import) and node not in only_for_types:
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node not in only_for_types:
                assert not node.level, f"{path}: relative import"
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
        return
    for source, _, names, plain in CYTHON_IMPORT.findall(text):
        if plain:
            yield plain
        else:
            yield from (f"{source}.{word.split(' as ')[0].strip(' ()')}" for word in names.split(","))


def imports_for_types(tree: ast.AST) -> Iterator[ast.AST]:
    """What stands below `if TYPE_CHECKING`: it is never imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield from (inner for statement in node.body for inner in ast.walk(statement))


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


def layer_of(name: str) -> str:
    """The place of a module, or of a name in it."""
    first = name.split(".")[0]
    return f"{first}.*" if f"{first}.*" in CONTROL_ORDER else first


def control_imports(path: Path) -> set[str]:
    """What a file of the control plane imports from it, without `control.` in front."""
    return {name.removeprefix("control.") for name in imports(path) if name.startswith("control.")}


CONTROL = modules("control")


@pytest.mark.parametrize("path", CONTROL, ids=lambda path: str(path.relative_to(ROOT)))
def test_control_plane_imports_only_what_stands_above_it(path: Path) -> None:
    layer = layer_of(module_name(path))
    assert layer in CONTROL_ORDER, f"give {layer} its place in CONTROL_LAYERS"
    above = CONTROL_ORDER[: CONTROL_ORDER.index(layer) + layer.endswith(".*")]
    assert not {name for name in control_imports(path) if layer_of(name) not in above}


@pytest.mark.parametrize("path", CONTROL, ids=lambda path: str(path.relative_to(ROOT)))
def test_control_plane_knows_of_each_library_only_where_it_may(path: Path) -> None:
    layer = layer_of(module_name(path))
    for imported in imports(path):
        root = imported.split(".")[0]
        if root not in sys.stdlib_module_names and root not in ("control", "fastmdns", "__future__"):
            allowed = CONTROL_THIRD_PARTY.get(imported, CONTROL_THIRD_PARTY.get(root, set()))
            assert layer in allowed, f"{imported} in {layer}"


def test_control_plane_imports_in_no_circle() -> None:
    names = {module_name(path): path for path in CONTROL}
    found = {name: {owner(imported, names) for imported in control_imports(path)} for name, path in names.items()}
    left = {name: reached - {None, name} for name, reached in found.items()}
    while free := {name for name, reached in left.items() if not reached & left.keys()}:
        left = {name: reached for name, reached in left.items() if name not in free}
    assert not left, "these import each other"


def owner(imported: str, names: dict[str, Path]) -> str | None:
    """The module that an import reaches: itself, or the one that has the name."""
    parts = imported.split(".")
    return next((name for end in range(len(parts), 0, -1) if (name := ".".join(parts[:end])) in names), None)


def python_sizes(package: str) -> dict[str, int]:
    return {
        f"{module_name(path)}.{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in modules(package)
        if path.suffix == ".py" and "versions" not in path.parts  # a revision of the schema is one long list
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


@pytest.mark.parametrize(
    "sizes", [python_sizes("fastmdns"), python_sizes("control"), cython_sizes()], ids=["python", "control", "cython"]
)
def test_functions_stay_short(sizes: dict[str, int]) -> None:
    lengths = sorted(sizes.values())
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:10]
    assert statistics.median(lengths) <= 10, largest
    assert lengths[len(lengths) * 9 // 10] < 35, largest


def test_every_module_says_what_it_promises() -> None:
    """A docstring of at most ten lines behind one SPDX line; a .pyi repeats what its .pyx says."""
    for path in [*modules(), *modules("control")]:
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
