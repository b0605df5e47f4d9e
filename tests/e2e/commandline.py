# SPDX-License-Identifier: Apache-2.0
"""The `openstack` command, many times, because each start of it takes seconds.

A line of input is a JSON object {"argv", "environ"}; the answer is a line {"code", "out", "err"}. This process imports
openstackclient once; each command is a fork of it that runs openstackclient's own entry point.
"""

import contextlib
import io
import json
import os
import sys

import designateclient.v2.client  # noqa: F401  so that it is loaded before the forks
from openstackclient import shell


def in_child(argv: list[str], environ: dict[str, str]) -> str:
    """The answer to one command, from a process that leaves nothing behind."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.environ.update(environ)
        os.write(writer, json.dumps(run(argv)).encode())
        os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8") as answer:  # noqa: PTH123  it is a descriptor
        text = answer.read()
    os.waitpid(child, 0)
    return text


def run(argv: list[str]) -> dict[str, object]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = shell.main(argv)
        except SystemExit as error:  # what argparse refuses
            code = error.code
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


if __name__ == "__main__":
    for name in [name for name in os.environ if name.startswith("OS_")]:
        del os.environ[name]
    run(["zone", "list", "--help"])  # loads what all commands need
    for line in sys.stdin:
        sys.stdout.write(in_child(**json.loads(line)) + "\n")
        sys.stdout.flush()
