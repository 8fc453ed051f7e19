"""Unpacks a part of every wheel in a folder:  python unpack.py WHEELS_DIR OUT_DIR PREFIX..."""

import sys
import zipfile
from pathlib import Path


def main(wheels: str, out: str, *prefixes: str) -> None:
    for wheel in sorted(Path(wheels).glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.infolist():
                if not entry.is_dir() and entry.filename.startswith(prefixes):
                    file = Path(archive.extract(entry, out))
                    # zipfile forgets which files are programs.
                    file.chmod(0o755 if (entry.external_attr >> 16) & 0o111 else 0o644)


if __name__ == "__main__":
    main(*sys.argv[1:])
