# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterable

def compress(names: Iterable[bytes]) -> bytes: ...
