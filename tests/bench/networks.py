#!/usr/bin/python3
"""make bench-networks: networks alone, in batches of 8 on two threads, against torch.

    networks.py [NAME...] [--python FILE] [--seconds S] [--load | --index DIR] [--rounds R]
                [--work DIR]

Each network has random weights of torchvision, timm or open_clip, whichever of them the reference's
python3 (FILE) has. Ours, in f32 and in the precision `auto`, reads them from a file. The reference
runs them eagerly in f32, and tuned in two ways, of which the faster counts: in bf16 (where the CPU
multiplies it) on channels last, and the same as frozen TorchScript, optimised for inference;
attention is torch's own fused one. All take turns, two batches each, for S seconds. What counts is
the least processor time of a batch, which other work on the machine disturbs little; threads that
wait do not spin. Images a second are those of two processors. Where both have one libtorch, the
ratio is that of the code.

--load: reading a checkpoint, hash included, against torch.load and load_state_dict, each in a
process of its own that has loaded libtorch, the pages of the file in memory; processor time.
--index DIR: `imgsearch index` of 500 of DIR's JPEGs against a pipeline with a thread that decodes
(tests/bench/index.py).
"""

import argparse, os, subprocess, sys, tempfile, threading, time

B = os.environ.get("B", "build")
PROGRAM = os.path.join(B, "tests/bench/network")
BATCH, THREADS = 8, 2
CONVOLUTIONAL = {
    "resnet50": 224, "mobilenet_v2": 224, "efficientnet_b0": 224, "vgg16": 224,
    "inception_v3": 299, "densenet121": 224, "convnext_tiny": 224, "regnet_y_800mf": 224,
}
TIMM = {
    "dinov2_vits14": "vit_small_patch14_dinov2",
    "dinov2_vitb14": "vit_base_patch14_dinov2",
    "siglip_b16_224": "vit_base_patch16_siglip_224",
}
OPEN_CLIP = {
    "clip_vit_b32": "ViT-B-32-quickgelu",
    "clip_vit_b16": "ViT-B-16-quickgelu",
    "pe_core_b16_224": "PE-Core-B-16",
}
NETWORKS = [*CONVOLUTIONAL, "vit_b_16", *TIMM, *OPEN_CLIP]


def has_bf16():
    return "avx512_bf16" in open("/proc/cpuinfo").read()


# ---- in a process of the reference's python3 ----


def disturb(net, x):
    """Statistics as the input gives them, so that nothing vanishes on its way."""
    import torch

    for m in net.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.momentum = 1.0
    auxiliary, net.AuxLogits = getattr(net, "AuxLogits", None), None
    net.train()
    net(x)
    net.AuxLogits = auxiliary
    return net.eval()


def of_torchvision(name):
    import torch, torchvision

    make = getattr(torchvision.models, name)
    net = make(init_weights=True) if name == "inception_v3" else make()
    if name in CONVOLUTIONAL:
        net = disturb(net, torch.randn(2, 3, CONVOLUTIONAL[name], CONVOLUTIONAL[name]))
    return net.eval(), net.state_dict()


def of_timm(name):
    import timm, torch

    more = {"act_layer": "gelu_tanh"} if "siglip" in name else {"img_size": 224}
    net = timm.create_model(TIMM[name], num_classes=0, **more).eval()
    state = net.state_dict()
    if "dinov2" in name:  # its files have positions for 518 pixels
        state["pos_embed"] = 0.02 * torch.randn(1, 1 + 37 * 37, net.embed_dim)
        state["mask_token"] = torch.zeros(1, net.embed_dim)
    return net, state


def of_open_clip(name):
    import open_clip

    net = open_clip.create_model(OPEN_CLIP[name], pretrained=None).eval()
    return net.visual, net.state_dict()


def make(name):
    source = of_timm if name in TIMM else of_open_clip if name in OPEN_CLIP else of_torchvision
    return source(name)


def headless(net):
    """Without the classifier, as ours."""
    import torch

    if type(net).__name__ == "VGG":
        net.classifier = net.classifier[:-2]
    elif type(net).__name__ == "ConvNeXt":
        net.classifier = net.classifier[:-1]
    elif type(net).__module__.startswith("torchvision"):
        part = next(p for p in ("fc", "classifier", "heads") if hasattr(net, p))
        setattr(net, part, torch.nn.Identity())
    return net


def frozen(net, x):
    import torch

    traced = torch.jit.freeze(torch.jit.trace(net, x, check_trace=False))
    try:
        traced = torch.jit.optimize_for_inference(traced)
    except RuntimeError as e:
        print(f"# not optimised for inference: {e}".splitlines()[0], file=sys.stderr)
    traced(x), traced(x)  # it is compiled in its first runs
    return traced


def contenders(name, net, side):
    """What answers to which word, and its input."""
    import copy, torch

    kind = torch.bfloat16 if has_bf16() else torch.float32
    x = torch.randn(BATCH, 3, side, side)
    last = x.to(kind, memory_format=torch.channels_last)
    tuned = copy.deepcopy(net).to(kind, memory_format=torch.channels_last)
    all = {"eager": (net, x), "tuned": (tuned, last)}
    try:
        all["frozen"] = frozen(copy.deepcopy(tuned), last), last
    except Exception as e:
        print(f"# {name} cannot be frozen: {e}".splitlines()[0], file=sys.stderr)
    return all


def reference(name, path, side):
    """Writes the weights and the version of torch, then answers as tests/bench/network does."""
    import torch

    torch.manual_seed(1)
    torch.set_num_threads(THREADS)
    with torch.inference_mode():
        net, state = make(name)
        torch.save(state, path)
        all = contenders(name, headless(net), int(side))
    with torch.inference_mode():
        print(torch.__version__, *all, flush=True)
        for line in sys.stdin:
            run, x = all[line.strip()]
            start = time.process_time()
            run(x)
            print(time.process_time() - start, flush=True)


def save(name, folder):
    """The weights of a network, as torch and as safetensors write them."""
    import torch

    state = make(name)[1]
    torch.save(state, os.path.join(folder, name + ".pth"))
    write_safetensors(os.path.join(folder, name + ".safetensors"), state)


def write_safetensors(path, state):
    import json, struct, torch

    at, head = 0, {}
    for name, t in state.items():
        size = t.numel() * t.element_size()
        kind = "I64" if t.dtype == torch.int64 else "F32"
        head[name] = {"dtype": kind, "shape": list(t.shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for t in state.values():
            f.write(t.contiguous().numpy().tobytes())


def load_reference(name, path):
    import torch, torchvision

    net = getattr(torchvision.models, name)()
    if path.endswith(".safetensors"):
        try:
            from safetensors.torch import load_file as read
        except ImportError:
            return
    else:
        read = torch.load
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.process_time()
    net.load_state_dict(read(path))
    print(time.process_time() - start, flush=True)
    sys.stdin.read()


# ---- the bench ----


class Child:
    """A process that answers each line by one line."""

    def __init__(self, command):
        settings = {
            "IMGSEARCH_LIBDIR": B, "OMP_WAIT_POLICY": "passive", "OPENBLAS_THREAD_TIMEOUT": "4",
        }
        self.p = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **settings},
        )

    def line(self):
        return self.p.stdout.readline().split()

    def say(self, word):
        self.p.stdin.write(word + "\n")
        self.p.stdin.flush()

    def ask(self, word):
        self.say(word)
        return float(self.line()[0])

    def end(self):
        self.p.stdin.close()
        self.p.wait()


def this(a, *words):
    return [a.python, os.path.abspath(__file__), *map(str, words)]


def in_turns(who, seconds):
    """The least processor time of a batch of each (child, word)."""
    best, start = {}, time.perf_counter()
    while time.perf_counter() - start < seconds or not best:
        for child, word in who:
            for _ in range(2):
                best[word] = min(best.get(word, 1e9), child.ask(word))
    return best


def measure(a, name):
    """A row of the table; None: the reference has no such network."""
    side, path = CONVOLUTIONAL.get(name, 224), os.path.join(a.work, name + ".pth")
    theirs = Child(this(a, "--reference", name, path, side))
    head = theirs.line()
    if not head:
        theirs.end()
        return None
    ours = Child([PROGRAM, name, path, str(BATCH)])
    about = " ".join(ours.line())
    if not about:
        sys.exit(f"{name}: ours does not run")
    who = [(ours, "f32"), (ours, "auto")] + [(theirs, word) for word in head[1:]]
    best = in_turns(who, a.seconds)
    theirs.end(), ours.end()
    os.unlink(path)
    return about, head[0], best


def networks(a):
    left_out, told = [], False
    for name in a.names or NETWORKS:
        row = measure(a, name)
        if not row:
            left_out.append(name)
            continue
        about, version, best = row
        if not told:
            heading(a, about, version)
            told = True
        tuned = {k: best[k] for k in ("tuned", "frozen") if k in best}
        how = min(tuned, key=tuned.get)
        cells = [best["f32"], best["auto"], best["eager"], tuned[how]]
        rates = " | ".join(f"{THREADS * BATCH / s:.1f}" for s in cells)
        kind = {"tuned": "eager", "frozen": "frozen"}[how]
        print(f"| {name} | {rates} ({kind}) | {tuned[how] / best['auto']:.2f} |", flush=True)
    if left_out:
        print(f"\nThe reference does not have {', '.join(left_out)}.")


def heading(a, about, version):
    model = next(l for l in open("/proc/cpuinfo") if l.startswith("model name"))
    print(f"{os.cpu_count()} CPUs, {model.split(':')[1].strip()}; ours {about}; torch {version}\n")
    print("| network | ours, f32 | ours, auto | torch, f32 | torch, tuned | ratio |")
    print("|---|---|---|---|---|---|")


# ---- loading ----


class Watch(threading.Thread):
    """The most memory of a process from now on, in bytes, without the pages of files."""

    def __init__(self, pid):
        super().__init__()
        self.pid, self.most, self.ended = pid, 0, False

    def look(self):
        with open(f"/proc/{self.pid}/status") as f:
            line = next(l for l in f if l.startswith("RssAnon"))
        self.most = max(self.most, int(line.split()[1]) * 1024)

    def run(self):
        while not self.ended:
            self.look()
            time.sleep(0.002)


def load_once(command):
    """The seconds that the process says, and the memory that loading took beside libtorch's."""
    child = Child(command)
    if not child.line():
        return None, 0
    before, watch = Watch(child.p.pid), Watch(child.p.pid)
    before.ended = True
    before.look()
    watch.start()
    child.say("")
    seconds = [float(word) for word in child.line()]
    watch.ended = True
    watch.join()
    child.end()
    return seconds, watch.most - before.most


def loads(a):
    print("| file | MB | ours, auto (the hash) | ours, f32 | torch | ratio | memory at most |")
    print("|---|---|---|---|---|---|---|")
    for name in a.names or ["resnet50", "vit_b_16", "vgg16"]:
        subprocess.run(this(a, "--save", name, a.work), check=True)
        for ending in ".pth", ".safetensors":
            path = os.path.join(a.work, name + ending)
            load_row(a, name, path)
            os.unlink(path)


def load_row(a, name, path):
    best, memory = {}, {}
    commands = {
        "auto": [PROGRAM, name, path, "load", "auto"],
        "f32": [PROGRAM, name, path, "load", "f32"],
        "torch": this(a, "--load-reference", name, path),
    }
    for _ in range(a.rounds):
        for who, command in commands.items():
            seconds, most = load_once(command)
            if seconds and (who not in best or sum(seconds) < sum(best[who])):
                best[who], memory[who] = seconds, most
    cells = [f"{sum(best['auto']):.2f} s ({best['auto'][0]:.2f})", f"{sum(best['f32']):.2f} s"]
    cells += [f"{sum(best['torch']):.2f} s", f"{sum(best['auto']) / sum(best['torch']):.2f}"] \
        if "torch" in best else ["-", "-"]
    cells.append(", ".join(f"{w} {m / 1e6:.0f} MB" for w, m in memory.items()))
    size = os.path.getsize(path) / 1e6
    print(f"| {os.path.basename(path)} | {size:.0f} | {' | '.join(cells)} |", flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("names", nargs="*", metavar="NAME")
    p.add_argument("--python", default="/usr/bin/python3")
    p.add_argument("--seconds", type=float, default=15)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--load", action="store_true")
    p.add_argument("--index", metavar="DIR")
    p.add_argument("--work")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        a.work = a.work or folder
        if a.index:
            index = os.path.join(os.path.dirname(os.path.abspath(__file__)), "index.py")
            words = ["resnet50", "--pictures", "500", "--photos", a.index, "--work", a.work]
            rounds = str(min(a.rounds, 2))
            subprocess.run([a.python, index, *words, "--rounds", rounds], check=True)
        else:
            loads(a) if a.load else networks(a)


CHILDREN = {"--reference": reference, "--save": save, "--load-reference": load_reference}

if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in CHILDREN:
        CHILDREN[sys.argv[1]](*sys.argv[2:])
    else:
        main()
