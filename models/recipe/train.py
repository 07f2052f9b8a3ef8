"""Fine-tunes the encoder on every set at once: one shared three-class head and a reason head over the mean.

    train.py --init INIT --data CLEANED --raw SHARED_DATA --out RUN --layers 6 --until 02:10 | --steps N

Writes the encoder and the label head as a model directory for `vigie lab fit`, which adds temperature, reason head and scores.
The learning rate warms up, stays constant, and falls linearly to 0 over the last `--anneal` of the time or steps. The result is the
mean (`--blend`) of the weights at the end and before the fall, and its head is shifted (`--lean`) towards negative and away from
positive: both chosen on `cal`. The state (weights, average, moments) is saved every ten minutes; the same command resumes from it.
Held-out rows (tweeteval val, airline's last fifth, sentiment140 dev, umsab val) are never read here, except to drop training rows
with the same text; a calibration slice (5% of each training set, `cal`) is not trained on either, and serves for these choices.
"""
import argparse, datetime, hashlib, json, math, os, time
from pathlib import Path

import torch.nn as nn

from model import *

SETS = {  # name: (passes per epoch, balance of the class weights, label smoothing)
    "tet": (1.0, 0.5, 0.0), "airline": (1.5, 0.5, 0.0), "s140t": (1.0, 0.0, 0.0), "cf": (0.2, 0.5, 0.0), "frt": (3.0, 0.5, 0.1)}


def split(data, raw):
    """{set: {"train"|"cal"|"val": rows}}; each row has text, y, reason (or -1)."""
    named = {r["id"]: r["negative_reason"] for r in rows(raw / "airline/tweets.csv")}
    air = sorted(rows(data / "airline.csv"), key=lambda r: r["created_at"])
    cut = int(len(air) * 0.8)
    held = {"airline": air[cut:], "tet": rows(data / "tev.csv"), "s140t": rows(data / "s140d.csv"), "frt": rows(data / "frv.csv")}
    forbidden = {r["text"].lower() for rs in held.values() for r in rs}
    reasons = sorted({v for v in named.values() if v})
    out = {}
    for name in SETS:
        rs = air[:cut] if name == "airline" else rows(data / f"{name}.csv")
        train, cal = [], []
        for r in rs:
            if r["text"].lower() in forbidden: continue
            share = 0.08 if name == "frt" else 0.05
            (cal if int(hashlib.sha256(r["text"].lower().encode()).hexdigest()[:8], 16) / 2**32 < share else train).append(r)
        out[name] = {"train": train, "cal": cal, "val": held.get(name, [])}
        for part in out[name].values():
            for r in part:
                r["y"] = LABEL[r["label"]]
                reason = named.get(r["id"], "") if name == "airline" and r["y"] == 0 else ""
                r["reason"] = reasons.index(reason) if reason else -1
    return out, reasons


class Model(nn.Module):
    def __init__(self, encoder, reasons):
        super().__init__()
        self.encoder, dim = encoder, encoder.config["dim"]
        self.head, self.reason = nn.Linear(dim, 3), nn.Linear(dim, reasons)

    def forward(self, ids):
        h = self.encoder(ids)
        d = F.dropout(h, 0.1, self.training)
        return h, self.head(d), self.reason(d)


def logp(logits, y, two):
    """log-probabilities; rows of `two` have no neutral class."""
    logits = logits.float().clone()
    logits[two, 1] = -1e4
    return F.log_softmax(logits, -1)


def encode(model, tok, rs, tokens=2048):
    """(pooled, logits, reason logits) of rows, in order."""
    ids = [e.ids for e in tok.encode_batch([r["text"] for r in rs])]
    n, dim = len(ids), model.encoder.config["dim"]
    H, Z, R = np.zeros((n, dim), np.float32), np.zeros((n, 3), np.float32), np.zeros((n, model.reason.out_features), np.float32)
    model.eval()
    with torch.inference_mode():
        for c in chunks([len(x) for x in ids], tokens):
            h, z, r = model(pad([ids[i] for i in c]))
            H[c], Z[c], R[c] = h.float().numpy(), z.float().numpy(), r.float().numpy()
    return H, Z, R


def ece(p, y, bins=15):
    c, ok = p.max(1), p.argmax(1) == y
    k = np.minimum((c * bins).astype(int), bins - 1)
    return float(sum(abs(ok[k == b].mean() - c[k == b].mean()) * (k == b).mean() for b in range(bins) if (k == b).any()))


def f1s(pred, y, k):
    out = []
    for c in range(k):
        tp = ((pred == c) & (y == c)).sum(); n = (pred == c).sum() + (y == c).sum()
        out.append(2 * tp / n if n else 0.0)
    return out


def scores(name, z, y, temperature=1.0):
    z = z.astype(np.float64) / temperature
    if name == "s140t": z = z.copy(); z[:, 1] = -1e4
    p = np.exp(z - z.max(1, keepdims=True)); p /= p.sum(1, keepdims=True)
    pred = p.argmax(1)
    recall = [float((pred[y == c] == c).mean()) for c in range(3) if (y == c).any()]
    return {"n": len(y), "acc": float((pred == y).mean()), "f1": float(np.mean([f for c, f in enumerate(f1s(pred, y, 3)) if name != "s140t" or c != 1])),
            "recall": float(np.mean(recall)), "nll": float(-np.log(p[np.arange(len(y)), y] + 1e-12).mean()), "ece": ece(p, y)}


def evaluate(model, tok, sets, part):
    out = {}
    for name, s in sets.items():
        rs = s[part]
        if not rs: continue
        _, z, r = encode(model, tok, rs)
        out[name] = scores(name, z, np.array([x["y"] for x in rs]))
        if name == "airline":
            known = np.array([x["reason"] for x in rs]); k = known >= 0
            out["reason"] = {"n": int(k.sum()), "f1": float(np.mean(f1s(r[k].argmax(1), known[k], r.shape[1]))), "acc": float((r[k].argmax(1) == known[k]).mean())}
    return out


def show(s):
    return "  ".join(f"{k}: " + " ".join(f"{m}={v:.3f}" for m, v in x.items() if m != "n") for k, x in s.items())


def main():
    a = argparse.ArgumentParser()
    for n in ("init", "data", "raw", "out"): a.add_argument(f"--{n}", type=Path, required=True)
    a.add_argument("--layers", type=int, default=12)
    a.add_argument("--until", help="HH:MM, the wall clock's end of the training"); a.add_argument("--steps", type=int)
    a.add_argument("--anneal", type=float, default=0.4)
    a.add_argument("--lr", type=float, default=1e-4); a.add_argument("--batch", type=int, default=32)
    a.add_argument("--warmup", type=int, default=150); a.add_argument("--seed", type=int, default=42)
    a.add_argument("--threads", type=int, default=2); a.add_argument("--train-words", action="store_true")
    a.add_argument("--save-minutes", type=float, default=10); a.add_argument("--ema", type=float, default=0.995); a.add_argument("--reason", type=float, default=1.0)
    a.add_argument("--blend", type=float, default=0.5); a.add_argument("--lean", type=float, default=0.25)
    a = a.parse_args()
    torch.set_num_threads(a.threads); torch.manual_seed(a.seed)
    a.out.mkdir(parents=True, exist_ok=True)
    def say(*x): print(time.strftime("%H:%M:%S"), *x, flush=True)

    sets, reasons = split(a.data, a.raw)
    tok = tokenizer(a.init)
    model = Model(load(a.init, list(range(a.layers))), len(reasons))
    nn.init.normal_(model.head.weight, std=0.02); nn.init.zeros_(model.head.bias)
    nn.init.normal_(model.reason.weight, std=0.02); nn.init.zeros_(model.reason.bias)
    words = model.encoder.embeddings["word_embeddings"]
    words.sparse = True  # a batch uses a few hundred of the 37,018: the moments of the others need no step
    if not a.train_words: words.weight.requires_grad_(False)
    data = {}
    for name, s in sets.items():
        ids = [e.ids for e in tok.encode_batch([r["text"] for r in s["train"]])]
        y = np.array([r["y"] for r in s["train"]]); n = np.bincount(y, minlength=3)
        w = np.where(n > 0, np.maximum(n, 1) / n.sum(), 1.0) ** -SETS[name][1]; w = w / w[y].mean()
        data[name] = (ids, y, w[y], np.array([r["reason"] for r in s["train"]]), SETS[name][2])
        say(name, "train", len(y), "cal", len(s["cal"]), "val", len(s["val"]), "classes", n.tolist())
    why = np.array([r["reason"] for r in sets["airline"]["train"]]); why = np.bincount(why[why >= 0], minlength=len(reasons))
    reason_weight = why ** -0.5; reason_weight = torch.tensor(reason_weight * why.sum() / (reason_weight * why).sum()).float()
    decay = [p for n, p in model.named_parameters() if p.requires_grad and p.ndim > 1 and n.startswith("encoder") and p is not words.weight]
    plain = [p for n, p in model.named_parameters() if p.requires_grad and p.ndim == 1 and n.startswith("encoder")]
    heads = list(model.head.parameters()) + list(model.reason.parameters())
    opt = torch.optim.AdamW([dict(params=decay, weight_decay=0.01, k=1), dict(params=plain, weight_decay=0.0, k=1), dict(params=heads, weight_decay=0.01, k=10)],
                            lr=a.lr, betas=(0.9, 0.98), fused=True)
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad and p is not words.weight}
    sparse = torch.optim.SparseAdam([words.weight], lr=a.lr, betas=(0.9, 0.98)) if a.train_words else None
    ema = {n: p.detach().clone() for n, p in trained.items()}
    step = epoch = done = 0; spent = 0.0
    state = a.out / "state.pt"
    if state.exists():
        s = torch.load(state, weights_only=True)
        model.load_state_dict(s["model"], strict=False); opt.load_state_dict(s["opt"]); ema = s["ema"]
        if sparse: words.weight.data.copy_(s["words"]); sparse.load_state_dict(s["sparse"])
        step, epoch, done, spent = s["step"], s["epoch"], s["done"], s["spent"]
        say("taken up at step", step, "epoch", epoch, "batch", done)
    end = None
    if a.until:
        h, m = map(int, a.until.split(":")); now = datetime.datetime.now()
        end = now.replace(hour=h, minute=m, second=0)
        if end < now: end += datetime.timedelta(days=1)
        end = time.time() + (end - now).total_seconds()
    begun = time.time() - spent

    def share():
        return max(step / a.steps if a.steps else 0.0, (time.time() - begun) / (end - begun) if end else 0.0)

    def store(path=state):
        torch.save({"model": {n: p.detach() for n, p in trained.items()}, "opt": opt.state_dict(), "ema": ema, "words": words.weight.detach(),
                    "sparse": sparse.state_dict() if sparse else None, "step": step, "epoch": epoch,
                    "done": done, "spent": time.time() - begun}, str(path) + ".new")
        os.replace(str(path) + ".new", path)

    def averaged(run):
        kept = {n: p.detach().clone() for n, p in trained.items()}
        with torch.no_grad():
            for n, p in trained.items(): p.copy_(ema[n])
            result = run()
            for n, p in trained.items(): p.copy_(kept[n])
        model.train()
        return result

    def blend():
        """Half the average weights from before the learning rate fell, which overfit the training rows less; and the classes
        balanced a little further, by the head's bias."""
        before = torch.load(a.out / "before-anneal.pt", weights_only=True)
        with torch.no_grad():
            for n, p in trained.items(): p.lerp_(before["ema"][n], a.blend)
            words.weight.lerp_(before["words"], a.blend)
            model.head.bias += torch.tensor([a.lean, 0.0, -a.lean])

    def export(folder):
        save(model.encoder, folder, a.init)
        save_file({"weight": model.head.weight.detach().clone(), "bias": model.head.bias.detach().clone()}, Path(folder) / "head.safetensors")

    model.train(); last = time.time(); seen = loss_sum = 0.0; annealing = share() >= 1 - a.anneal
    while share() < 1:
        rng = np.random.default_rng([a.seed, epoch])
        picks = []
        for name, (ids, *_) in data.items():
            passes = SETS[name][0]; whole = int(passes)
            some = rng.permutation(len(ids))[:round((passes - whole) * len(ids))]
            picks += [(name, i) for i in list(range(len(ids))) * whole + some.tolist()]
        picks = [picks[i] for i in rng.permutation(len(picks))]
        batches = []
        for at in range(0, len(picks), a.batch * 64):
            pool = sorted(picks[at:at + a.batch * 64], key=lambda q: len(data[q[0]][0][q[1]]))
            batches += [pool[i:i + a.batch] for i in range(0, len(pool), a.batch)]
        batches = [batches[i] for i in rng.permutation(len(batches))]
        for batch in batches[done:]:
            f = share()
            if f >= 1: break
            if not annealing and f >= 1 - a.anneal:
                annealing = True; store(a.out / "before-anneal.pt"); say("annealing from step", step)
            rate = a.lr * min(1.0, (step + 1) / a.warmup) * min(1.0, (1 - f) / a.anneal)
            for g in opt.param_groups: g["lr"] = rate * g["k"]
            if sparse: sparse.param_groups[0]["lr"] = rate
            y = torch.tensor([int(data[n][1][i]) for n, i in batch]); w = torch.tensor([float(data[n][2][i]) for n, i in batch])
            why = torch.tensor([int(data[n][3][i]) for n, i in batch]); two = torch.tensor([n == "s140t" for n, i in batch])
            with torch.autocast("cpu", torch.bfloat16):
                _, z, r = model(pad([data[n][0][i] for n, i in batch]))
            p = logp(z, y, two)
            known = torch.where(two, 2.0, 3.0); smooth = torch.tensor([data[n][4] for n, i in batch])
            spread = p.masked_fill(p < -1e3, 0).sum(1) / known
            hard = -((1 - smooth) * p.gather(1, y[:, None])[:, 0] + smooth * spread) * w
            loss = hard.mean()
            if bool((why >= 0).any()): loss = loss + a.reason * F.cross_entropy(r[why >= 0].float(), why[why >= 0], weight=reason_weight, reduction="sum") / len(batch)
            loss.backward()
            nn.utils.clip_grad_norm_(trained.values(), 1.0)
            opt.step(); opt.zero_grad()
            if sparse: sparse.step(); sparse.zero_grad()
            step += 1; done += 1; seen += 1; loss_sum += loss.item()
            k = min(a.ema, (1 + step) / (10 + step))
            with torch.no_grad(): torch._foreach_lerp_(list(ema.values()), list(trained.values()), 1 - k)
            if step % 50 == 0:
                say(f"epoch {epoch} {done}/{len(batches)} step {step} loss {loss_sum / seen:.4f} rate {rate:.2e} share {f:.3f} cpu {time.process_time():.0f}"); seen = loss_sum = 0.0
            if time.time() - last > 60 * a.save_minutes:
                store(); last = time.time(); averaged(lambda: export(a.out / "latest"))
        else:
            epoch += 1; done = 0
            continue
        break
    store()
    def finish():
        blend(); export(a.out / "last"); say("trained", step, "steps")
        for part in ("cal", "val"):
            s = evaluate(model, tok, sets, part); say(part, show(s))
            (a.out / f"scores-{part}.json").write_text(json.dumps(s, indent=1))
    averaged(finish)


if __name__ == "__main__": main()
