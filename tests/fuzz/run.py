#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fuzz the parsers with libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer.

    tests/fuzz/run.py --seconds 60              all targets, sharing the time and the cores
    tests/fuzz/run.py --target message FILE…    these inputs once: to look at a finding
    tests/fuzz/run.py --merge                   keep in the corpus what reaches new code, drop what doesn't

The extensions are built a second time with clang under fuzz-work/, the ones in the source tree stay as they are. The
exit code is 0 where nothing was found; a finding is a file in fuzz-work/findings/.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "fuzz-work"
BUILD = WORK / "build"
CORPUS = HERE / "corpus"
FINDINGS = WORK / "findings"
SCRATCH = WORK / "scratch"  # the stores of the targets: libFuzzer ends without a chance to clean up
TARGETS = ("names", "rdata_wire", "rdata_unpack", "rdata_text", "zone_text", "message", "transfer")
LARGEST = {"zone_text": 4096, "transfer": 4096}  # octets of an input; others: 1024
CLANGS = ("clang", *(f"clang-{version}" for version in range(22, 13, -1)))
INSTALL = "make peers (Debian's packages clang and libclang-rt-dev)"
# pointer-overflow reports NULL + 0 too, which no compiler treats as anything but NULL (and C2y allows).
SANITIZE = (
    "-fsanitize=address,undefined -fno-sanitize=pointer-overflow -fno-sanitize-recover=undefined"
    " -fno-omit-frame-pointer -O1 -g"
)


def clang() -> str:
    for command in CLANGS:
        if shutil.which(command):
            return command
    sys.exit(f"fuzzing needs clang with libFuzzer: {INSTALL}")


def copy_sources() -> None:
    """The modules below the server that changed, so that no others are compiled again."""
    files = [path for path in (ROOT / "fastmdns").iterdir() if path.suffix in (".py", ".pyx", ".pxd")]
    for name in [*(path.relative_to(ROOT) for path in files), "setup.py", "pyproject.toml", "README.md"]:
        source, copy = ROOT / name, BUILD / name
        if copy.exists() and copy.read_bytes() == source.read_bytes():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)


def forget_other_builds(recipe: str) -> None:
    """What was built by another compiler or with other flags is built again; setuptools looks at times only."""
    stamp = BUILD / "recipe"
    if BUILD.exists() and (not stamp.exists() or stamp.read_text() != recipe):
        shutil.rmtree(BUILD)
    BUILD.mkdir(parents=True, exist_ok=True)
    stamp.write_text(recipe)


def build_extensions(compiler: str) -> None:
    environment = {
        **os.environ,
        "CC": compiler,
        "LDSHARED": f"{compiler} -shared",
        "CFLAGS": "",
        "FASTMDNS_CFLAGS": f"{SANITIZE} -fsanitize=fuzzer-no-link -fno-strict-aliasing -Wno-everything",
        "FASTMDNS_EXTENSIONS": "package",
    }
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace", "-j", str(os.cpu_count())]
    subprocess.run(command, cwd=BUILD, env=environment, check=True)


def build_program(compiler: str) -> Path:
    """The program: libFuzzer, the sanitizers' runtime and Python in one; the extensions find the first two in it."""
    program = WORK / "fuzz"
    variables = sysconfig.get_config_vars()
    library = Path(variables["LIBDIR"])
    command = [
        compiler, *SANITIZE.split(), "-fsanitize=fuzzer", "-Wall", f"-I{sysconfig.get_path('include')}",
        str(HERE / "main.c"), "-o", str(program), f"-L{library}", f"-L{variables['LIBPL']}", f"-Wl,-rpath,{library}",
        f"-lpython{variables['LDVERSION']}", "-ldl", "-lm", "-Wl,--export-dynamic",
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return program


def build() -> Path:
    compiler = clang()
    forget_other_builds(f"{compiler} {SANITIZE} {sys.version}")
    copy_sources()
    build_extensions(compiler)
    return build_program(compiler)


def environment(target: str) -> dict[str, str]:
    return {
        **os.environ,
        "FUZZ_TARGET": target,
        "FUZZ_PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join([str(BUILD), str(HERE)]),
        "PYTHONMALLOC": "malloc",  # or the ends of Python's objects are hidden in its arenas
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(SCRATCH),
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }


def fuzz(program: Path, target: str, seconds: int) -> bool:
    """True where nothing was found."""
    found = WORK / "corpus" / target
    found.mkdir(parents=True, exist_ok=True)
    (CORPUS / target).mkdir(parents=True, exist_ok=True)
    log = WORK / f"{target}.log"
    options = [
        f"-max_total_time={seconds}", f"-max_len={LARGEST.get(target, 1024)}", "-timeout=20", "-rss_limit_mb=2048",
        f"-artifact_prefix={FINDINGS}/{target}-", "-print_final_stats=1", "-use_value_profile=1",
    ]  # fmt: skip
    with log.open("wb") as output:
        command = [str(program), *options, str(found), str(CORPUS / target)]
        done = subprocess.run(command, env=environment(target), stdout=output, stderr=output, cwd=WORK, check=False)
    lines = log.read_text("utf-8", "replace").splitlines()
    runs = next((line.split()[-1] for line in lines if line.startswith("stat::number_of_executed_units")), "?")
    verdict = "nothing found" if done.returncode == 0 else "\n".join(["FINDING", *lines[-60:]])
    sys.stdout.write(f"{target:14} {runs:>9} inputs in {seconds} s: {verdict}\n")
    sys.stdout.flush()
    return done.returncode == 0


def fuzz_all(program: Path, targets: tuple[str, ...], seconds: int) -> bool:
    cores = os.cpu_count() or 1
    each = max(3, seconds * min(cores, len(targets)) // len(targets))
    with ThreadPoolExecutor(cores) as pool:
        return all(list(pool.map(lambda target: fuzz(program, target, each), targets)))


def merge(program: Path, target: str) -> bool:
    """The smallest set of inputs, old and new, with the same coverage, becomes the corpus."""
    smaller = WORK / "merged" / target
    shutil.rmtree(smaller, ignore_errors=True)
    smaller.mkdir(parents=True)
    sources = [str(folder) for folder in (CORPUS / target, WORK / "corpus" / target) if folder.is_dir()]
    command = [str(program), "-merge=1", f"-max_len={LARGEST.get(target, 1024)}", str(smaller), *sources]
    done = subprocess.run(command, env=environment(target), cwd=WORK, capture_output=True, check=False)
    if done.returncode == 0:
        shutil.rmtree(CORPUS / target, ignore_errors=True)
        shutil.copytree(smaller, CORPUS / target)
    return done.returncode == 0


def replay(program: Path, target: str, inputs: list[str]) -> bool:
    files = [str(Path(name).resolve()) for name in inputs]
    return subprocess.run([str(program), *files], env=environment(target), cwd=WORK, check=False).returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--target", choices=TARGETS)
    parser.add_argument("--merge", action="store_true")
    parser.add_argument("inputs", nargs="*")
    arguments = parser.parse_args()
    targets = (arguments.target,) if arguments.target else TARGETS
    FINDINGS.mkdir(parents=True, exist_ok=True)
    SCRATCH.mkdir(exist_ok=True)
    program = build()
    if arguments.merge:
        good = False not in [merge(program, target) for target in targets]
    elif arguments.inputs:
        good = replay(program, targets[0], arguments.inputs)
    else:
        good = fuzz_all(program, targets, arguments.seconds)
    shutil.rmtree(SCRATCH)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
