#!/usr/bin/env python3
"""speaking.py DIR: a model for the fake shim's text tower, DIR/speaking.safetensors with its
card and a vocabulary whose tokens from 300 on are colours; DIR/pictures, one of each colour."""
import json, os, shutil, struct, sys, zlib

COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]
SIDE = 40


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(rgb):
    rows = (b"\0" + bytes(rgb) * SIDE) * SIDE
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def write_json(path, value):
    with open(path, "w") as f:
        json.dump(value, f)


def vocabulary():
    tokens = {"<pad>": 0, "<eos>": 1, "<unk>": 3, **{f"<0x{i:02X}>": 10 + i for i in range(256)}}
    return {
        "version": "1.0", "normalizer": None,
        "added_tokens": [{"id": 300 + i, "content": c} for i, c in enumerate(COLOURS)],
        "model": {"type": "BPE", "unk_token": "<unk>", "byte_fallback": True, "vocab": tokens,
                  "merges": []},
    }


def main(folder):
    os.makedirs(f"{folder}/pictures")
    build = os.environ.get("B", "build")
    shutil.copy(f"{build}/tests/lib/default.safetensors", f"{folder}/speaking.safetensors")
    write_json(f"{folder}/speaking.json", {"name": "speaking", "network": "clip_vit_b32",
                                           "resize": 32, "crop": 32, "dim": 48})
    write_json(f"{folder}/tokenizer.json", vocabulary())
    for i, colour in enumerate(COLOURS):
        with open(f"{folder}/pictures/{colour}.png", "wb") as f:
            f.write(png([230 if i >> c & 1 else 20 for c in range(3)]))


main(sys.argv[1])
