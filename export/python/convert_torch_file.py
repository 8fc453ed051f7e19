"""Converts a file of torch.save to safetensors: `convert_torch_file.py FILE OUT`.

Floating-point tensors become float32, integers int64; nothing of the file is executed (see torch_file.py).
Exit code 3: the file was refused, and stdout says why.
"""

from __future__ import annotations

import sys

import numpy as np
from safetensors.numpy import save_file
from torch_file import UntrustedFile, read_state_dict

REFUSED = 3


def main(source: str, target: str) -> int:
    try:
        state = read_state_dict(source)
    except UntrustedFile as error:
        print(error)
        return REFUSED
    kinds = {"f": np.float32, "i": np.int64, "u": np.int64, "b": np.int64}
    save_file({name: np.asarray(array, kinds[array.dtype.kind]) for name, array in state.items()}, target)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
