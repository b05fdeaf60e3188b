#!/usr/bin/env python3
"""Writes tests/fuzz/seeds/tokenizer: a small model of SentencePiece, three of tokenizer.json."""
import base64
import json
import os
import struct

FOLDER = os.path.join(os.path.dirname(__file__), "seeds/tokenizer")
LETTER, LEAF = 0x100 ^ ord("A"), 0x100 ^ ord("A") ^ 1


def varint(v):
    out = b""
    while v >= 0x80:
        out, v = out + bytes([v & 0x7F | 0x80]), v >> 7
    return out + bytes([v])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def piece(text, score, kind):
    return field(1, field(1, text.encode()) + b"\x15" + struct.pack("<f", score) + b"\x18"
                 + varint(kind))


def rules_of_pieces():
    """One: A becomes a."""
    units = [0] * 0x200
    units[0], units[LETTER], units[LEAF] = 0x100 << 10, 1 << 10 | 0x100 | ord("A"), 1 << 31
    return struct.pack("<I512I", 4 * len(units), *units) + b"a\0"


def unigram():
    rules = base64.b64encode(rules_of_pieces()).decode()
    pieces = (("</s>", 0), ("<unk>", 0), ("\u2581", -2), ("a", -3), ("ab", -4), ("\u2581a", -3.5))
    return {"normalizer": {"type": "Precompiled", "precompiled_charsmap": rules},
            "model": {"type": "Unigram", "unk_id": 1, "vocab": pieces}}


def sentence_piece():
    rules = rules_of_pieces()
    pieces = (("<pad>", 0, 3), ("</s>", 0, 3), ("<unk>", 0, 2), ("\u2581", -2, 1), ("a", -3, 1),
              ("b", -3, 1), ("ab", -4, 1), ("\u2581a", -3.5, 1), ("red", 0, 4), ("abab", -1, 5))
    return b"".join(piece(*p) for p in pieces) + field(2, b"\x18\x01") + field(3, field(2, rules))


def spelt():
    """The letters that stand for bytes."""
    own = [b for b in range(256) if 33 <= b <= 126 or b >= 161 and b != 173]
    other = iter(range(256, 512))
    return [chr(b) if b in own else chr(next(other)) for b in range(256)]


def clip():
    tokens = spelt() + [letter + "</w>" for letter in spelt()]
    tokens += ["do", "dog</w>", "<|startoftext|>", "<|endoftext|>"]
    return {"version": "1.0", "model": {
        "type": "BPE", "end_of_word_suffix": "</w>", "merges": ["d o", ["do", "g</w>"]],
        "vocab": {t: i for i, t in enumerate(tokens)}}}


def fallback():
    tokens = ["<pad>", "<eos>", "<bos>", "<unk>", "a", "b", "\u2581", "ab", "\u2581ab"]
    tokens += [f"<0x{i:02X}>" for i in range(256)]
    return {"added_tokens": [{"id": 300, "content": "<b>"}],
            "normalizer": {"type": "Lowercase"}, "model": {
                "type": "BPE", "unk_token": "<unk>", "byte_fallback": True,
                "vocab": {t: i for i, t in enumerate(tokens)},
                "merges": [["a", "b"], ["\u2581", "ab"]]}}


def write(name, data):
    with open(os.path.join(FOLDER, name), "wb") as f:
        f.write(data)


os.makedirs(FOLDER, exist_ok=True)
write("spiece.model", sentence_piece())
write("unigram.json", json.dumps(unigram(), separators=(",", ":")).encode())
write("clip.json", json.dumps(clip(), separators=(",", ":")).encode())
write("fallback.json", json.dumps(fallback(), separators=(",", ":")).encode())
