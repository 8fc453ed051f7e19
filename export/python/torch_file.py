"""Reads the files of `torch.save` without PyTorch and without trusting them.

A PyTorch file is a pickle, and a pickle can call any function. This reader lets a pickle name only the few things
that a state dict is made of, and hands it no live object: tensors stay descriptions (immutable tuples) until the
pickle is done. Anything else is refused with UntrustedFile.

Both formats are read: the zip archive of PyTorch 1.6 and later, and the one before it.
"""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Callable, NamedTuple

import numpy as np

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
# The pickles of the largest networks stay well under a megabyte: tensor data lies outside them.
MAX_PICKLE_BYTES = 64 << 20
# Tied weights share data; a hostile file could describe one block of data as thousands of tensors.
MAX_SHARING = 16

STORAGE_DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    # numpy has no bfloat16: read as bits and widened.
    "BFloat16Storage": "<u2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "|i1",
    "ByteStorage": "|u1",
    "BoolStorage": "|b1",
}


class UntrustedFile(Exception):
    """The file is no plain PyTorch state dict: hostile, damaged or of another kind."""


class StorageType(NamedTuple):
    name: str


class Storage(NamedTuple):
    type: StorageType
    key: str
    numel: int


class Tensor(NamedTuple):
    storage: Storage
    offset: int
    shape: tuple
    strides: tuple


class Rebuild:
    """Stands for torch._utils._rebuild_tensor and _rebuild_tensor_v2: describes the tensor, reads nothing."""

    __slots__ = ()

    def __call__(self, storage, offset, shape, strides, *_unused):
        # _unused: requires_grad, backward hooks and metadata, which a state dict does not need.
        if not isinstance(storage, Storage):
            raise UntrustedFile("a tensor without a storage")
        return Tensor(storage, offset, tuple(shape), tuple(strides))


class RebuildParameter:
    """Stands for torch._utils._rebuild_parameter: a parameter is read as its tensor."""

    __slots__ = ()

    def __call__(self, tensor, *_unused):
        return tensor


ALLOWED = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor"): Rebuild(),
    ("torch._utils", "_rebuild_tensor_v2"): Rebuild(),
    ("torch._utils", "_rebuild_parameter"): RebuildParameter(),
    **{("torch", name): StorageType(name) for name in STORAGE_DTYPES},
}


# Where training scripts keep the state dict when they save more than it.
NESTED_KEYS = ("state_dict", "model_state_dict", "model", "net")


class RestrictedUnpickler(pickle.Unpickler):
    def __init__(self, stream):
        super().__init__(stream)
        self.storages: dict[str, Storage] = {}

    def find_class(self, module, name):
        try:
            return ALLOWED[module, name]
        except KeyError:
            raise UntrustedFile(f"it asks for {module}.{name}, which no state dict needs") from None

    def persistent_load(self, identifier):
        if isinstance(identifier, tuple) and len(identifier) >= 5 and identifier[0] == "storage":
            kind, key, _device, numel, *view = identifier[1:]
            is_storage = isinstance(kind, StorageType) and isinstance(key, str)
            # The last field, of the older format only, describes views of views; PyTorch writes None since 0.4.
            if is_storage and isinstance(numel, int) and numel >= 0 and view in ([], [None]):
                return self.storages.setdefault(key, Storage(kind, key, numel))
        raise UntrustedFile("it refers to something other than tensor data")


def read_state_dict(path: str | Path) -> dict[str, np.ndarray]:
    """The tensors of a state dict by name, C-ordered, in the file's precision (bfloat16 widened to float32).

    The state dict is the file itself, or the one that a mapping holds under one of NESTED_KEYS.
    Raises UntrustedFile when the file is anything else.
    """
    path = Path(path)
    try:
        if zipfile.is_zipfile(path):
            return _read_zip(path)
        return _read_legacy(path)
    except UntrustedFile:
        raise
    except (pickle.UnpicklingError, zipfile.BadZipFile, EOFError, struct.error) as error:
        raise UntrustedFile(f"it is damaged ({error})") from error
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, OverflowError, MemoryError) as error:
        # What the unpickler raises on opcodes that make no sense.
        raise UntrustedFile(f"it is no state dict ({error})") from error


def _read_zip(path: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(names) != 1:
            raise UntrustedFile("the archive holds no single data.pkl")
        root = names[0].removesuffix("data.pkl")
        if f"{root}byteorder" in archive.namelist() and archive.read(f"{root}byteorder") != b"little":
            raise UntrustedFile("its numbers are big-endian")

        def entry(name: str, limit: int) -> bytes:
            info = archive.getinfo(name)
            # PyTorch stores without compression; a compressed entry could unpack to any size.
            if info.compress_type != zipfile.ZIP_STORED or info.file_size > limit:
                raise UntrustedFile(f"{name} is compressed or too large")
            return archive.read(info)

        with archive.open(names[0]) as stream:
            entry(names[0], MAX_PICKLE_BYTES)
            content = _state_dict(RestrictedUnpickler(stream).load())
        return _materialise(content, lambda storage: entry(f"{root}data/{storage.key}", path.stat().st_size))


def _read_legacy(path: Path) -> dict[str, np.ndarray]:
    size = path.stat().st_size
    with path.open("rb") as stream:
        if RestrictedUnpickler(stream).load() != LEGACY_MAGIC:
            raise UntrustedFile("it is no file of torch.save")
        if RestrictedUnpickler(stream).load() != LEGACY_PROTOCOL:
            raise UntrustedFile("it has an unknown version of the format")
        system = RestrictedUnpickler(stream).load()
        if not system["little_endian"]:
            raise UntrustedFile("its numbers are big-endian")
        unpickler = RestrictedUnpickler(stream)
        content = _state_dict(unpickler.load())
        # Of all storages, also those that the state dict has no part in: their data lies between.
        item_sizes = {
            key: np.dtype(STORAGE_DTYPES[storage.type.name]).itemsize for key, storage in unpickler.storages.items()
        }
        data = {}
        for key in RestrictedUnpickler(stream).load():
            (numel,) = struct.unpack("<q", stream.read(8))
            if numel < 0 or key not in item_sizes or numel * item_sizes[key] > size:
                raise UntrustedFile(f"storage {key} has an impossible size")
            data[key] = stream.read(numel * item_sizes[key])
        return _materialise(content, lambda storage: data[storage.key])


def _state_dict(content: object) -> object:
    """The state dict in what a training script saved."""
    # A mapping in a mapping in a mapping: no script nests deeper, and a pickle can make a mapping that holds itself.
    for _ in range(3):
        if not isinstance(content, dict) or any(isinstance(value, Tensor) for value in dict.values(content)):
            return content
        nested = [key for key in NESTED_KEYS if isinstance(dict.get(content, key), dict)]
        if not nested:
            found = ", ".join(sorted(repr(key) for key in dict.keys(content))[:8])
            raise UntrustedFile(f"it holds no state dict, only {found or 'an empty mapping'}")
        content = dict.get(content, nested[0])
    raise UntrustedFile("its state dict lies too deep")


def _tensors(content: object) -> dict[str, Tensor]:
    if not isinstance(content, dict):
        raise UntrustedFile("it holds no state dict")
    # Not content.items(): a pickle can put attributes of its own on an OrderedDict.
    for name, tensor in dict.items(content):
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise UntrustedFile(f"its entry {name!r} is no tensor")
    return dict(dict.items(content))


def _materialise(content: object, read: Callable[[Storage], bytes]) -> dict[str, np.ndarray]:
    storages: dict[str, np.ndarray] = {}
    arrays = {}
    described = 0
    for name, tensor in _tensors(content).items():
        storage, offset, shape, strides = tensor
        dtype = np.dtype(STORAGE_DTYPES[storage.type.name])
        if storage.key not in storages:
            data = read(storage)
            if len(data) != storage.numel * dtype.itemsize:
                raise UntrustedFile(f"the data of {name} is cut short")
            storages[storage.key] = np.frombuffer(data, dtype)
        flat = storages[storage.key]
        if len(shape) != len(strides) or any(not isinstance(n, int) or n < 0 for n in (offset, *shape, *strides)):
            raise UntrustedFile(f"{name} has an impossible shape")
        last = offset + sum((n - 1) * stride for n, stride in zip(shape, strides))
        count = int(np.prod(shape, dtype=object))
        if flat.dtype != dtype or count > flat.size or (count > 0 and last >= flat.size):
            raise UntrustedFile(f"{name} reaches beyond its data")
        described += count * dtype.itemsize
        if described > MAX_SHARING * sum(array.nbytes for array in storages.values()):
            raise UntrustedFile("its tensors share their data so often that they would fill the memory")
        view = np.lib.stride_tricks.as_strided(
            flat[offset:], shape, [stride * dtype.itemsize for stride in strides], writeable=False
        )
        if storage.type.name == "BFloat16Storage":
            view = (view.astype(np.uint32) << 16).view(np.float32)
        arrays[name] = np.ascontiguousarray(view).reshape(shape)
    return arrays
