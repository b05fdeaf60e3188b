"""Weights of the comparison with other implementations: large tensors are drawn from a seed, by
numpy, so that a file keeps of each only a shape and a spread; small ones are kept as they are."""

import json, os, struct, zlib

import numpy as np

LARGE = 16384  # values
KINDS = {"float32": "F32", "float16": "F16", "int64": "I64", "bool": "BOOL"}


def drawn(name, shape, spread, positive):
    """f16; the seed is the name."""
    random = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    values = random.standard_normal(shape, dtype=np.float32) * np.float32(spread)
    return (np.abs(values) if positive else values).astype(np.float16)


def shapes(tensors):
    """(name, dtype, shape) of each; tensors: arrays, or what `drawn` takes behind the name."""
    for name, t in tensors.items():
        if isinstance(t, np.ndarray):
            yield name, KINDS[str(t.dtype)], list(t.shape)
        else:
            yield name, "F16", list(t[0])


def write(path, tensors):
    """A safetensors file, a tensor at a time."""
    at, head = 0, {}
    for name, kind, shape in shapes(tensors):
        end = at + int(np.prod(shape)) * {"F32": 4, "F16": 2, "I64": 8, "BOOL": 1}[kind]
        head[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(head).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for name, t in tensors.items():
            f.write((t if isinstance(t, np.ndarray) else drawn(name, *t)).tobytes())


def write_sharded(folder, name, tensors, shards):
    """Files and an index, as Hugging Face's programs write them; one file where shards is 1."""
    if shards == 1:
        path = os.path.join(folder, name + ".safetensors")
        write(path, tensors)
        return path
    names, where = list(tensors), {}
    for i in range(shards):
        file = f"{name}-{i + 1:05}-of-{shards:05}.safetensors"
        write(os.path.join(folder, file), {k: tensors[k] for k in names[i::shards]})
        where |= {k: file for k in names[i::shards]}
    path = os.path.join(folder, name + ".safetensors.index.json")
    with open(path, "w") as f:
        json.dump({"metadata": {"total_size": 0}, "weight_map": where}, f)
    return path
