"""Files of an asset under another path, as a mount shows them: no link that a reader would meet, no whole copy."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

# Bytes up to which a file is copied. A larger one, which nobody edits in place, is one more name of the same file.
COPIED = 32 << 20


def bind(source: Path, target: Path) -> None:
    """Show a file or folder at ``target``, in the place of what is there; links are followed.

    Whatever is written to a copied file, or put beside it, stays out of the source. What reads the old content
    goes on with it.
    """
    fresh, old = target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")
    for path in (fresh, old):
        _remove(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, fresh, copy_function=_bind_file)
    else:
        _bind_file(str(source), str(fresh))
    if target.is_symlink() or target.exists():
        target.rename(old)
    fresh.rename(target)
    _remove(old)


def _bind_file(source: str, target: str) -> str:
    real = os.path.realpath(source)
    if os.path.getsize(real) > COPIED:
        try:
            os.link(real, target)
        except OSError:  # another file system, or one without hard links
            pass
        else:
            return target
    return shutil.copy2(real, target)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
