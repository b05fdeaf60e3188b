#!/usr/bin/env python3
"""Tokenizers against the publishers' programs, token for token (`make test-words`): open_clip,
transformers, sentencepiece, tokenizers, ftfy from PyPI. CLIP's own vocabulary comes with open_clip;
the others are trained here, on drawn texts and the project's own. Argument: how many texts (10000).

Left out are texts that ftfy takes for wrongly decoded, which are counted, and letters newer than
Unicode 14, which not every libutf8proc knows."""
import json
import os
import random
import subprocess
import sys
import tempfile
import unicodedata
from html.entities import html5

try:
    import ftfy
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2
    import tokenizers
    import transformers
    from open_clip.tokenizer import SimpleTokenizer, basic_clean, canonicalize_text, default_bpe
    from tokenizers import AddedToken, models, normalizers, pre_tokenizers, trainers
except ImportError as e:
    print(f"1..0 # SKIP {e}")
    sys.exit(0)

TOKENS = os.path.join(os.environ.get("B", "build"), "tests/words/tokens")
WORDS = (
    "a the photo of red car at night dog's cat don't We'LL I'd you've they're 2026 3.14 "
    "naïve café ÉCOLE straße STRASSE Ωmega ΣΊΣΥΦΟΣ ΟΔΟΣ Привет МИР "
    "İstanbul ﬁne Ａｂｃ １２３ ﾊﾝｶｸ 日本語 猫の写真 中文 图片 "
    "العربية صورة قطة हिन्दी ไทย 한국어 ｶﾞ 😀 "
    "👨\u200d👩\u200d👧\u200d👦 🏳\ufe0f\u200d🌈 👍🏽 🇩🇪 “quoted” "
    "‘single’ it’s — … • © ® ™ ½ ² ª º ﷽ x²+y² C++ <b>bold</b> "
    "<|endoftext|> <start_of_text> & && &amp; &lt;3 &gt; &nbsp; &eacute; &EACUTE; &NTILDE; "
    "&SZLIG; &#39; &#x27; &#128512; &#150; &hellip &copy2026 &notit; &amp;amp; &foo; &#; "
    "&#xZZ; &acE; \x1b[31mred\x1b[0m tab\there line\nbreak cr\rlf\r\nend \u2028 \u200b "
    "zero\u200bwidth \ufeffbom \xa0nbsp soft\xadhyphen \x85 \x93 e\u0301 A\u030a 가 ǅ "
    "Ĳ ŉ K Å ſ 'ſ ''s' rock'n'roll O'NEIL _under_score_ http://example.com/a?b=c&d=e "
    "#tag @user $5 50% ١٢٣ Ⅳ ④ ⁵ ℌ 𝓗𝓮𝓵𝓵𝓸 𐍈 𠜎 ▁"
).split(" ")
NAMES = [n.rstrip(";") for n in html5] + [n.rstrip(";").upper() for n in list(html5)[:400]]
RANGES = ((32, 126), (0xA0, 0x24F), (0x370, 0x52F), (0x2000, 0x2BFF), (0x3000, 0x30FF),
          (0x4E00, 0x9FFF), (0x1F300, 0x1FAFF))
BETWEEN = (" ", "  ", "\t", " ", " ", "\n", "", " ", " ")


def text(rng):
    """Words; letters of common scripts; references of HTML; long ones; letters of any script."""
    kind = rng.random()
    if kind < .55:
        s = rng.choice(BETWEEN).join(rng.choice(WORDS) for _ in range(rng.randint(1, 14)))
    elif kind < .7:
        s = "".join(chr(rng.randint(*rng.choice(RANGES))) for _ in range(rng.randint(1, 30)))
    elif kind < .85:
        names = [rng.choice(NAMES) for _ in range(rng.randint(1, 6))]
        s = " ".join("&" + name + rng.choice(";;; x") for name in names)
    elif kind < .9:
        s = " ".join(rng.choice(WORDS) for _ in range(rng.randint(60, 150)))
    else:
        s = "".join(chr(rng.randint(1, 0x10FFFF)) for _ in range(rng.randint(1, 12)))
    return "".join(c for c in s if unicodedata.category(c) not in ("Cn", "Cs"))


def ours(vocabulary, style, context, texts):
    out = subprocess.run([TOKENS, vocabulary, style, str(context)], check=True,
                         input="".join(t + "\0" for t in texts).encode(),
                         stdout=subprocess.PIPE).stdout.decode()
    return [line.split() for line in out.split("\n")[:-1]]


class Tap:
    count = failed = 0

    def equal(self, what, texts, wanted, got):
        self.count += 1
        wrong = [i for i, w in enumerate(wanted) if list(map(str, w)) != got[i]]
        wrong += [0] if len(got) != len(wanted) else []
        self.failed += bool(wrong)
        print(f"{'not ' if wrong else ''}ok {self.count} - {what}: {len(texts)} texts", flush=True)
        for i in wrong[:3]:
            print(f"# {len(wrong)} differ: {texts[i]!r}\n#   {wanted[i]}\n#   {got[i]}")


def train_pieces(folder, name, corpus, **settings):
    sentencepiece.SentencePieceTrainer.train(
        input=corpus, model_prefix=f"{folder}/{name}", vocab_size=9000, character_coverage=0.99,
        minloglevel=2, hard_vocab_limit=False, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, **settings)
    return f"{folder}/{name}.model"


def train_fallback(folder, corpus):
    """A tokenizer.json as SigLIP 2 has it."""
    t = tokenizers.Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Replace(" ", "▁")])
    t.pre_tokenizer = pre_tokenizers.Split(pattern=" ", behavior="merged_with_previous")
    first = ["<pad>", "<eos>", "<bos>", "<unk>"] + [f"<0x{i:02X}>" for i in range(256)]
    with open(corpus, encoding="utf-8") as lines:
        t.train_from_iterator((line[:400] for line in lines), trainers.BpeTrainer(
            vocab_size=9000, limit_alphabet=500, max_token_length=24, special_tokens=first,
            show_progress=False))
    t.add_tokens([AddedToken(s, normalized=False) for s in ("<b>", "\n\n", "  ", "   ")])
    t.save(f"{folder}/tokenizer.json")
    return f"{folder}/tokenizer.json", t


def write_corpus(path, rng):
    with open(path, "w", encoding="utf-8") as out:
        for folder in ("docs", "docs/measurements", "lib/store", "lib/query"):
            for name in sorted(os.listdir(folder)):
                if name.endswith((".md", ".c", ".h")):
                    with open(f"{folder}/{name}", encoding="utf-8") as f:
                        out.write(f.read())
        for _ in range(20000):
            out.write(" ".join(text(rng).split())[:2000] + "\n")


def rightly_decoded(texts):
    bare = ftfy.TextFixerConfig(fix_encoding=False)
    return [t for t in texts if ftfy.fix_text(t) == ftfy.fix_text(t, bare)]


def test_clip(tap, folder, texts):
    ref, kept = SimpleTokenizer(), rightly_decoded(texts)
    print(f"# {len(texts) - len(kept)} texts are left out, which ftfy takes for wrongly decoded")
    wanted = [row.tolist() for row in ref(kept)]
    got = ours(default_bpe(), "open_clip", 77, kept)
    tap.equal("open_clip, CLIP", kept, wanted, [g + ["0"] * (77 - len(g)) for g in got])
    names = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    vocabulary = {names.get(k, k): v for k, v in ref.encoder.items()}
    merges = sorted(ref.bpe_ranks, key=ref.bpe_ranks.get)
    with open(f"{folder}/vocab.json", "w", encoding="utf-8") as f:
        json.dump(vocabulary, f)
    with open(f"{folder}/merges.txt", "w", encoding="utf-8") as f:
        f.write("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    hf = transformers.CLIPTokenizer(vocab=vocabulary, merges=merges)
    wanted = hf(texts, truncation=True, max_length=77)["input_ids"]
    tap.equal("transformers, CLIP, vocab.json and merges.txt", texts, wanted,
              ours(f"{folder}/vocab.json", "transformers", 77, texts))
    hf.backend_tokenizer.save(f"{folder}/clip.json")
    tap.equal("transformers, CLIP, tokenizer.json", texts, wanted,
              ours(f"{folder}/clip.json", "transformers", 77, texts))


def test_unigram_json(tap, folder, model, texts):
    """A tokenizer.json as timm's SigLIP has it, which OpenCLIP reads."""
    with open(model, "rb") as f:
        proto = sentencepiece_model_pb2.ModelProto.FromString(f.read())
    t = tokenizers.Tokenizer(models.Unigram([(p.piece, p.score) for p in proto.pieces], 2, False))
    t.normalizer = normalizers.Sequence([
        normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap),
        normalizers.Replace(tokenizers.Regex(" {2,}"), " ")])
    t.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    t.save(f"{folder}/unigram.json")
    cleaned = [canonicalize_text(basic_clean(x)) for x in texts]
    wanted = [t.encode(x).ids[:63] + [1] for x in cleaned]
    tap.equal("tokenizers, Unigram, cleaned as open_clip does", texts, wanted,
              ours(f"{folder}/unigram.json", "open_clip", 64, texts))


def main():
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    rng, tap = random.Random(5), Tap()
    texts = [text(rng) for _ in range(number)]
    with tempfile.TemporaryDirectory() as folder:
        test_clip(tap, folder, texts)
        corpus = f"{folder}/corpus.txt"
        write_corpus(corpus, rng)
        rules = (("nmt_nfkc", {}), ("nmt_nfkc_cf", {"user_defined_symbols": ["red"]}),
                 ("identity", {"add_dummy_prefix": False, "remove_extra_whitespaces": False}))
        for name, settings in rules:
            model = train_pieces(folder, name, corpus, normalization_rule_name=name, **settings)
            ref = transformers.SiglipTokenizer(vocab_file=model)
            wanted = [ref(t, truncation=True, max_length=64)["input_ids"] for t in texts]
            tap.equal(f"transformers, SigLIP, a model by {name}", texts, wanted,
                      ours(model, "transformers", 64, texts))
            if name == "nmt_nfkc":
                test_unigram_json(tap, folder, model, rightly_decoded(texts))
        path, ref = train_fallback(folder, corpus)
        wanted = [ref.encode(t, add_special_tokens=False).ids[:63] + [1] for t in texts]
        tap.equal("tokenizers, byte fallback", texts, wanted, ours(path, "transformers", 64, texts))
    print(f"1..{tap.count}")
    sys.exit(tap.failed > 0)


if __name__ == "__main__":
    main()
