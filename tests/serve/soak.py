#!/usr/bin/python3
"""make soak: a server under mixed work for a while, on loopback.

    soak.py [SECONDS] [--out FOLDER] [--pictures DIR]

The server has the real network, a folder of pictures that an index run keeps up, and uploads that
are kept as files. Threads search by upload, id and text of a row, look at pictures, lists, the map
and groups, add and delete pictures, change the folder and run the index, and behave badly: clients
that leave in the middle, half requests, and clients that never read. After half of the time the
server is ended by SIGTERM and started again, after three quarters it is killed.

At the end:
- no answer had another status than those that docs/http.md has for it, and no 5xx but 503;
- `imgsearch check` finds nothing wrong;
- each picture whose upload was answered by 201, and was not deleted, is there with its bytes;
  each that was deleted is not;
- memory: the anonymous memory of the last third of the longest life of the server is at most 1.15 x
  that of the third before.

TAP; OUT/soak.csv (a line every two seconds) and, where matplotlib is installed, OUT/soak.svg.
DIR has photographs to begin with; without it all pictures are drawn.
"""

import argparse, collections, csv, glob, os, random, shutil, signal, socket, struct, sys, threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import common
from common import B, ENV, W, Server, check, finish, form, png, run

ENV["IMGSEARCH_LIBDIR"] = B
FOLDER, UPLOADS, DB = W + "/photos", W + "/uploads", W + "/soak.db"
DRAWN = 40  # pictures to begin with, where there are no photographs
AWAY = (ConnectionError, socket.timeout, OSError)  # the server is being started again

parser = argparse.ArgumentParser()
parser.add_argument("seconds", nargs="?", type=float, default=60)
parser.add_argument("--out", default=B + "/bench")
parser.add_argument("--pictures")
args = parser.parse_args()


def drawn(seed):
    """A PNG of its own: rectangles of colours on a slope."""
    rng = random.Random(seed)
    w, h = rng.randrange(48, 200), rng.randrange(48, 200)
    boxes = [
        (rng.randrange(w), rng.randrange(h), rng.randrange(8, w), rng.randrange(8, h),
         bytes(rng.randrange(256) for _ in range(3)))
        for _ in range(12)
    ]
    rows = []
    for y in range(h):
        row = bytearray(bytes((y & 255, seed & 255, (y * 3) & 255)) * w)
        for x0, y0, bw, bh, colour in boxes:
            if y0 <= y < y0 + bh:
                row[3 * x0 : 3 * min(w, x0 + bw)] = colour * (min(w, x0 + bw) - x0)
        rows.append(b"\0" + bytes(row))
    return png(w, h, b"".join(rows))


class Soak:
    def __init__(self):
        self.end = time.time() + args.seconds
        self.lock = threading.Lock()
        self.uploaded = {}  # id: bytes, answered by 201
        self.deleted = set()  # ids, answered by 200
        self.unsure = set()  # ids whose deletion got no answer
        self.wrong = collections.Counter()
        self.answers = collections.Counter()
        self.times = []
        self.rows = []  # of soak.csv
        self.life = 0
        self.seed = 1000
        self.server = None

    def running(self):
        return time.time() < self.end

    def new_picture(self):
        with self.lock:
            self.seed += 1
            seed = self.seed
        return drawn(seed)

    def known(self, rng):
        with self.lock:
            return rng.choice(list(self.uploaded)) if self.uploaded else 1

    def ask(self, allowed, method, path, body=None, headers=None, raw=False):
        """The answer, None where the server was away; another status than these is wrong."""
        start = time.time()
        try:
            answer = self.server.ask(method, path, body, headers, raw)
        except (*AWAY, ValueError, common.http.client.HTTPException) as e:
            self.note("no answer: " + type(e).__name__)
            time.sleep(0.05)
            return None
        with self.lock:
            self.times.append(time.time() - start)
        self.note(answer[0])
        if answer[0] not in (*allowed, 503):
            said = answer[1] if isinstance(answer[1], (str, dict)) else answer[1][:200]
            where = path.split("?")[0].rstrip("0123456789")
            self.wrong[f"{answer[0]} of {method} {where}: {said}"] += 1
        return answer

    def note(self, what):
        with self.lock:
            self.answers[what] += 1

    # ---- the threads ----

    def search(self, rng):
        way = rng.randrange(4)
        if way == 0:
            self.ask([200], "POST", "/api/search?k=5", self.new_picture())
        elif way == 1:
            self.ask([200, 404], "GET", f"/api/search?id={self.known(rng)}&k=20&no_self=1")
        elif way == 2:
            self.ask([200, 404], "GET", f"/api/search?id={self.known(rng)}&expand=3&reciprocal=20")
        else:
            two = form(("a", self.new_picture()), ("b", drawn(rng.randrange(40))))
            self.ask([200], "POST", "/api/search", *two)

    def look(self, rng):
        id = self.known(rng)
        path = rng.choice([
            f"/api/pictures/{id}", f"/api/pictures/{id}/thumb?size=256", f"/api/pictures/{id}/full",
            "/api/pictures?limit=50&sort=date", "/api/sample?n=24", "/api/info", "/api/health",
            "/api/map", "/api/groups", "/",
        ])
        self.ask([200, 202, 404], "GET", path, raw=True)
        time.sleep(0.02)

    def upload(self, rng):
        data = self.new_picture()
        answer = self.ask([201, 409], "POST", "/api/pictures?name=a.png", data)
        if answer and answer[0] == 201:
            id = answer[1]["added"][0].get("id")
            if id is None:
                self.wrong[f"201 without an id: {answer[1]}"] += 1
            with self.lock:
                self.uploaded[id] = data
        time.sleep(0.05)

    def delete(self, rng):
        time.sleep(0.3)
        with self.lock:
            if len(self.uploaded) < 50:
                return
            id = rng.choice(list(self.uploaded))
            data = self.uploaded.pop(id)
        how = rng.choice(("", "?forget=1"))
        answer = self.ask([200, 409], "DELETE", f"/api/pictures/{id}{how}", raw=True)
        with self.lock:
            if answer and answer[0] in (409, 503):
                self.uploaded[id] = data
            else:
                (self.deleted if answer else self.unsure).add(id)

    def index(self, rng):
        """Changes some files of the folder, then runs the index, by the server if it is there."""
        files = os.listdir(FOLDER)
        for name in rng.sample(files, min(3, len(files) // 2)):
            os.remove(os.path.join(FOLDER, name))
        for _ in range(6):
            with open(f"{FOLDER}/{rng.randrange(10**9)}.png", "wb") as f:
                f.write(self.new_picture())
        done = run("index", FOLDER, "--db", DB, "-q")
        why = done.stderr.decode(errors="replace").replace(W, "")[-150:] if done.returncode else ""
        self.note(f"index: {done.returncode} {why}")
        # it fails where the server was ended, and where an upload was at work
        if done.returncode not in (0, 3):
            self.wrong["index: " + done.stderr.decode(errors="replace")[:300]] += 1
        time.sleep(0.5)

    def misbehave(self, rng):
        """Leaves in the middle, sends half a request, or never reads."""
        try:
            s = socket.create_connection(("127.0.0.1", self.server.port), timeout=5)
        except OSError:
            return time.sleep(0.2)
        body = drawn(rng.randrange(1000))
        head = b"POST /api/search?k=5 HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
        head %= len(body)
        try:
            way = rng.randrange(4)
            if way == 0:
                s.sendall(head + body[: len(body) // 2])
            elif way == 1:
                s.sendall(head + body)
            elif way == 2:
                get = b"GET /api/pictures?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                s.sendall(get * 20)
                time.sleep(rng.random())
            else:
                s.sendall(bytes(rng.randrange(256) for _ in range(300)))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        s.close()
        time.sleep(0.1)

    # ---- its life ----

    def start(self):
        self.server = Server(DB, "--uploads", UPLOADS)
        self.life += 1

    def watch(self):
        """A line of the CSV."""
        try:
            status = open(f"/proc/{self.server.process.pid}/status").read()
        except OSError:
            return
        fields = dict(line.split(":", 1) for line in status.splitlines())
        field = lambda name: int(fields.get(name, "0").split()[0])
        with self.lock:
            times, self.times = sorted(self.times), []
            added = len(self.uploaded)
        pick = lambda share: 1000 * times[int(share * (len(times) - 1))] if times else 0
        self.rows.append([
            round(time.time() - self.began, 1), self.life, field("RssAnon") / 1024,
            field("RssFile") / 1024, field("Threads"), len(times), pick(0.5), pick(0.99), added,
        ])

    def work(self, what, seed):
        rng = random.Random(seed)
        while self.running():
            what(rng)

    def run(self):
        self.began = time.time()
        jobs = [self.search] * 4 + [self.look] * 2 + [self.upload] * 2
        jobs += [self.delete, self.index, self.misbehave, self.misbehave]
        threads = [
            threading.Thread(target=self.work, args=(job, i), daemon=True)
            for i, job in enumerate(jobs)
        ]
        self.start()
        for t in threads:
            t.start()
        ends = [(0.5, signal.SIGTERM), (0.75, signal.SIGKILL)]
        while self.running():
            time.sleep(2)
            self.watch()
            if self.server.process.poll() is not None:
                check("the server lives", False, self.server.process.stderr.read())
                return False
            if ends and time.time() - self.began > ends[0][0] * args.seconds:
                self.restart(ends.pop(0)[1])
        for t in threads:
            t.join(60)
        check("all clients end", not any(t.is_alive() for t in threads))
        return True

    def restart(self, how):
        start, process = time.time(), self.server.process
        process.send_signal(how)
        status = process.wait(60)
        if how == signal.SIGTERM:
            check("SIGTERM ends it in 20 s with status 0", status == 0 and time.time() - start < 20,
                  f"{status} after {time.time() - start:.1f} s")
        self.start()


def begin():
    os.mkdir(FOLDER), os.mkdir(UPLOADS)
    photos = glob.glob(f"{args.pictures}/**/*.jpg", recursive=True) if args.pictures else []
    for i, path in enumerate(photos[:500]):
        shutil.copy(path, f"{FOLDER}/{i}.jpg")
    for i in range(0 if photos else DRAWN):
        with open(f"{FOLDER}/{i}.png", "wb") as f:
            f.write(drawn(i))
    done = run("index", FOLDER, "--db", DB, "-q")
    check("an index to begin with", done.returncode == 0, done.stderr)
    return done.returncode == 0


def kept(soak):
    """What was uploaded is there, what was deleted is not."""
    soak.start()
    lost = [
        id for id, data in soak.uploaded.items()
        if soak.server.get(f"/api/pictures/{id}/full", raw=True)[:2] != (200, data)
    ]
    check(f"{len(soak.uploaded)} uploads are there with their bytes", not lost, lost[:20])
    # an id is not given again, so what was deleted is nowhere
    there = [id for id in soak.deleted
             if soak.server.get(f"/api/pictures/{id}/thumb", raw=True)[0] != 404]
    check(f"{len(soak.deleted)} that were deleted are not", not there, there[:20])
    check("it ends", soak.server.stop() == 0)
    done = run("check", "--db", DB)
    check("the index is whole", done.returncode == 0, done.stdout + done.stderr)


def flat(soak):
    life = max({r[1] for r in soak.rows}, key=lambda l: sum(r[1] == l for r in soak.rows))
    anon = [r[2] for r in soak.rows if r[1] == life]
    third = len(anon) // 3
    mean = lambda values: sum(values) / max(1, len(values))
    before, after = mean(anon[third : 2 * third]), mean(anon[2 * third :])
    check(f"anonymous memory is flat: {before:.1f} MB, then {after:.1f} MB",
          third < 3 or after <= 1.15 * before + 4, [round(a) for a in anon])


def plot(rows, path):
    try:
        import matplotlib
    except ImportError:
        return print("# no matplotlib: no picture")
    matplotlib.use("svg")
    matplotlib.rcParams["svg.fonttype"] = "none"
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(3, 1, figsize=(8, 7), sharex=True)
    minutes = [r[0] / 60 for r in rows]
    axes[0].plot(minutes, [r[2] for r in rows], label="anonymous")
    axes[0].plot(minutes, [r[3] for r in rows], label="pages of files")
    axes[0].set(ylabel="memory, MB", ylim=(0, None))
    axes[0].legend(fontsize=7)
    axes[1].plot(minutes, [r[6] for r in rows], label="median")
    axes[1].plot(minutes, [r[7] for r in rows], label="99 of 100")
    axes[1].set(ylabel="answer, ms", yscale="log")
    axes[1].legend(fontsize=7)
    axes[2].plot(minutes, [r[8] for r in rows])
    axes[2].set(ylabel="uploads kept", xlabel="minutes", ylim=(0, None))
    for ax in axes:
        ax.grid(alpha=0.3)
        for at in [a[0] / 60 for a, b in zip(rows, rows[1:]) if a[1] != b[1]]:
            ax.axvline(at, color="grey", linestyle=":")
    figure.tight_layout()
    figure.savefig(path)


def main():
    if not begin():
        return
    soak = Soak()
    whole = soak.run()
    soak.server.stop()
    worst = "\n".join(map(str, soak.wrong.most_common(20)))
    check("all answers are documented", not soak.wrong, worst)
    print("#", *(f"{what}: {n}," for what, n in sorted(soak.answers.items(), key=str)))
    if whole:
        kept(soak)
        flat(soak)
    os.makedirs(args.out, exist_ok=True)
    with open(args.out + "/soak.csv", "w") as f:
        heads = "seconds life anonymous_mb file_mb threads answers median_ms p99_ms uploads"
        csv.writer(f).writerows([heads.split(), *soak.rows])
    plot(soak.rows, args.out + "/soak.svg")


finish(main)
