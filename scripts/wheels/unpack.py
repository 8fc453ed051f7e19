"""Unpacks a part of every wheel in a folder:  python unpack.py WHEELS_DIR OUT_DIR PREFIX..."""

import sys
import zipfile
from pathlib import Path


def main(wheels: str, out: str, *prefixes: str) -> None:
    for wheel in sorted(Path(wheels).glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(out, [name for name in archive.namelist() if name.startswith(prefixes)])


if __name__ == "__main__":
    main(*sys.argv[1:])
