#!/usr/bin/env python3
"""bench-regions: how often a crop of a picture finds its picture first, by `imgsearch serve`, and
what `imgsearch index --regions` costs in time and in bytes.

usage: regions.py FOLDER [PICTURES]    PICTURES (80) of each set of ../shared; indexes in FOLDER
"""
import http.client, json, os, random, resource, shutil, subprocess, sys, time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
B = os.environ.get("B", TOP + "/build")
SHARED = os.path.join(TOP, "..", "shared")
SETS = {name: f"images/{name}" for name in
        ("caltech101", "imagenette", "intel", "flowers", "paintings")}
SETS["places"] = "judge/places"
AREAS = (9, 4)


def pictures(folder):
    return sorted(os.path.join(at, f) for at, _, files in os.walk(folder) for f in files
                  if f.lower().endswith((".jpg", ".jpeg", ".png")))


def links(to, n, rng):
    """A folder of links for each set."""
    for name, place in SETS.items():
        found = pictures(os.path.join(SHARED, place))
        os.makedirs(f"{to}/{name}")
        for i, path in enumerate(sorted(rng.sample(found, min(n, len(found))))):
            os.link(path, f"{to}/{name}/{i}-{os.path.basename(path)}")


def run(*words):
    """Seconds, and CPU seconds, of a command."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
    subprocess.run([B + "/imgsearch", *words], check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "IMGSEARCH_LIBDIR": B})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.time() - start, cpu


class Server:
    def __init__(self, db):
        self.process = subprocess.Popen(
            [B + "/imgsearch", "serve", "--db", db, "--port", "0", "--no-token"], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "IMGSEARCH_LIBDIR": B})
        self.port = int(self.process.stdout.readline().rstrip("/\n").rsplit(":", 1)[1])

    def ask(self, method, path, query=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        c.request(method, path, json.dumps(query) if query else None,
                  {"Content-Type": "application/json"} if query else {})
        answer = json.loads(c.getresponse().read())
        c.close()
        return answer

    def all(self):
        """(id, set, width, height) of all pictures."""
        out, total = [], 1
        while len(out) < total:
            page = self.ask("GET", f"/api/pictures?limit=1000&offset={len(out)}")
            total = page["total"]
            for p in page["pictures"]:
                one = self.ask("GET", f"/api/pictures/{p['id']}")
                out.append((p["id"], p["path"].split("/")[-2], one["width"], one["height"]))
        return out

    def end(self):
        self.process.terminate()
        self.process.wait()


def recall(server, rng):
    """First answers that are right: {(area, whole): {set: share}}."""
    counts, total = {}, {}
    for id, name, width, height in server.all():
        total[name] = total.get(name, 0) + 1
        for area in AREAS:
            w, h = int(width / area ** 0.5), int(height / area ** 0.5)
            crop = [rng.randrange(width - w + 1), rng.randrange(height - h + 1), w, h]
            for whole in (1, 0):
                answer = server.ask("POST", "/api/search", {
                    "inputs": [{"id": id, "crop": crop}], "k": 1, "whole": whole})
                found = counts.setdefault((area, whole), {})
                found[name] = found.get(name, 0) + (answer["results"][0]["id"] == id)
    return {key: {name: n / total[name] for name, n in found.items()}
            for key, found in counts.items()}


def main():
    folder, n = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 80
    if not os.path.isdir(os.path.join(SHARED, "images")):
        print("no photographs in ../shared")
        return 1
    rng = random.Random(1)
    shutil.rmtree(folder, ignore_errors=True)
    links(folder + "/pictures", n, rng)
    cost = {}
    for kind, more in (("without", []), ("with", ["--regions"])):
        db = f"{folder}/{kind}.db"
        cost[kind] = *run("index", "-q", "--no-build", *more, "--db", db, folder + "/pictures"), 0
        run("build", "-q", "--db", db)
        cost[kind] = *cost[kind][:2], os.path.getsize(db)
    server = Server(folder + "/with.db")
    try:
        shares = recall(server, rng)
    finally:
        server.end()
    print("| first result right |", " | ".join(SETS), "| mean |")
    print("|---" * (len(SETS) + 2) + "|")
    for area in AREAS:
        for whole in (1, 0):
            of = shares[area, whole]
            print(f"| 1/{area}, {'whole alone' if whole else 'regions'} |",
                  " | ".join(f"{of[name]:.3f}" for name in SETS),
                  f"| {sum(of.values()) / len(of):.3f} |")
    for i, what in enumerate(("seconds of index", "CPU seconds", "bytes with searchers")):
        a, b = cost["without"][i], cost["with"][i]
        print(f"{what}: {a:.1f} without, {b:.1f} with: {b / a:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
