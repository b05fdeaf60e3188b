#!/usr/bin/env python3
"""An index with two models over HTTP, while another program adds, exchanges and drops them."""
import json, os, shutil, subprocess, sys, threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import B, ENV, TOP, W, Server, check, error, finish, png, run, stripes

OTHER = ("resnet18", "--weights", f"{W}/w.safetensors")


def models(s):
    return [(m["name"], m["dim"], m["vectors"]) for m in s.get("/api/info")[1]["models"]]


def scores(answer):
    return [r["score"] for r in answer[1].get("results", [])]


def test_models(s, db):
    one = scores(s.get("/api/search?id=1&k=5"))
    check("one model", models(s) == [("default", 48, 40)], models(s))
    answer = s.get("/api/search?id=1&model=resnet18")
    check("... and no other", error(answer, 404, "ENOTFOUND"), answer)
    r = run("index", "-q", "--db", db, "--add-model", *OTHER)
    check("a second one is added by another program", r.returncode == 0, r.stderr.decode())
    check("... the server has it", models(s) == [("default", 48, 40), ("resnet18", 512, 40)],
          models(s))
    two = scores(s.get("/api/search?id=1&k=5&model=resnet18"))
    check("... and asks by it", len(two) == 5 and two != one, two)
    body = json.dumps({"inputs": [{"id": 1}], "k": 5, "model": "resnet18"})
    answer = s.ask("POST", "/api/search", body, {"Content-Type": "application/json"})
    check("... as a member of JSON", scores(answer) == two, answer)
    check("... by the first one where none is named",
          scores(s.get("/api/search?id=1&k=5")) == one == scores(
              s.get("/api/search?id=1&k=5&model=default")))
    return one, two


def test_exchange(s, db, one, two):
    """Whatever is current meanwhile, the model that is named answers."""
    wrong, answers, done = [], [0], threading.Event()

    def ask(name, wanted):
        while not done.is_set():
            answer = s.get(f"/api/search?id=1&k=5&model={name}")
            answers[0] += 1
            if answer[0] == 409 and answer[1]["error"]["code"] == "EBUSY":
                continue
            if scores(answer) != wanted:
                wrong.append((name, answer))

    threads = [threading.Thread(target=ask, args=a) for a in (("default", one), ("resnet18", two))]
    for t in threads:
        t.start()
    switched = [run("model", "switch", "-q", "--db", db, name).returncode
                for name in 12 * ("resnet18", "default") + ("resnet18",)]
    done.set()
    for t in threads:
        t.join()
    check("exchanged while it is asked", not any(switched), switched)
    check("... the answers are of the model that is named", not wrong and answers[0] > 20,
          (answers, wrong[:2]))
    check("... the other one answers now", scores(s.get("/api/search?id=1&k=5")) == two)
    check("... and is the first", [m[0] for m in models(s)] == ["resnet18", "default"], models(s))


def test_drop(s, db, two):
    r = run("model", "drop", "-q", "--db", db, "default")
    check("dropped", r.returncode == 0, r.stderr.decode())
    answer = s.get("/api/search?id=1&model=default")
    check("... it answers no more", error(answer, 404, "ENOTFOUND"), answer)
    check("... the other one does", scores(s.get("/api/search?id=1&k=5&model=resnet18")) == two)
    check("... and is alone", len(models(s)) == 1, models(s))


def test_words(s, db):
    first = s.get("/api/search?text=red&k=1&model=speaking")
    if "libutf8proc" in str(first):
        print("# skipped: libutf8proc is missing")
        return
    check("a text asks the model that has words",
          os.path.basename(first[1]["results"][0]["path"]) == "red.png", first)
    answer = s.get("/api/search?text=red")
    check("... and not the other one", error(answer, 415, "EUNSUPPORTED"), answer)
    words = [m["words"] for m in s.get("/api/info")[1]["models"]]
    check("... which the page is told", words == [False, True], words)


def begin(db, **env):
    """A server with these variables; the commands have none of them."""
    ENV.update(env)
    s = Server(db)
    for name in env:
        del ENV[name]
    return s


def vectors(db):
    """Of the second model; -1: there is none."""
    second = json.loads(run("info", "--json", "--db", db).stdout)["second"]
    return second["vectors"] if second else -1


def test_added_by_server(db, model, n):
    """index --add-model of a server that runs: it is killed, does it, exchanges and drops."""
    runs = f"{W}/runs"
    s = begin(db, FAKE_RUN="2", FAKE_SIGNAL="9", FAKE_COUNT=runs)
    open(runs, "w").close()  # it has warmed up
    r = run("index", "--db", db, "--add-model", model)
    check("the server that adds a model is killed",
          r.returncode and b"the server went away" in r.stderr, r.stderr)
    s.process.wait(40)
    check("... the index is sound", run("check", "--db", db).returncode == 0)
    check("... and has the model", 0 <= vectors(db) < n, vectors(db))
    s = begin(db, FAKE_COUNT=runs)
    open(runs, "w").close()
    done = threading.Event()
    wrong = []

    def ask():
        while not done.is_set():
            if len(scores(s.get("/api/search?id=1&k=3"))) != 3:
                wrong.append(1)

    asks = threading.Thread(target=ask)
    asks.start()
    r = run("index", "--db", db, "--add-model", os.path.relpath(model, W), cwd=W)
    done.set()
    asks.join()
    check("the next run makes what is left", r.returncode == 0 and vectors(db) == n, r.stderr)
    check("... by the server", os.path.getsize(runs) > 0)
    check("... which answers others meanwhile", not wrong)
    check("... and by both models", len(scores(s.get("/api/search?id=1&k=3&model=speaking"))) == 3)
    r = run("index", "--db", db, "--add-model", f"{W}/nothing.safetensors")
    check("a model that is not there is refused", r.returncode == 3, r.stderr)
    for command in ("switch", "speaking"), ("drop", "default"):
        r = run("model", command[0], "--db", db, command[1])
        check(f"model {command[0]} beside the server", r.returncode == 0, r.stderr)
    check("... it answers by the one that is left", [m[0] for m in models(s)] == ["speaking"],
          models(s))
    check("... ends with 0", s.stop() == 0)


def test_uploads(db):
    """Pictures that are added one by one, by a server, have the vectors of both models at once."""
    weights = f"{W}/model/speaking.safetensors"
    n = vectors(db)
    own = lambda: json.loads(run("info", "--json", "--db", db).stdout)["vectors"]
    s = Server(db, "--uploads", ":index:")
    picture = lambda i: png(40 + i, 30, stripes(40 + i, 30))
    add = lambda i: s.ask("POST", f"/api/pictures?name={i}.png", picture(i))
    answer = add(1)
    check("an upload", answer[0] == 201 and own() == n + 1, answer)
    check("... has the second vector at once", vectors(db) == n + 1, vectors(db))
    number = answer[1]["added"][0]["id"]
    near = s.get(f"/api/search?id={number}&k=1&model=speaking")
    check("... and is found by it", near[1]["results"][0]["id"] == number, near)
    add(1)
    check("the same bytes again have none", (own(), vectors(db)) == (n + 1, n + 1))
    run("index", "-q", "--db", db)
    check("... nor after a run", (own(), vectors(db)) == (n + 1, n + 1))
    s.ask("DELETE", f"/api/pictures/{number}")
    check("a picture that is deleted loses both", (own(), vectors(db)) == (n, n))
    check("... ends with 0", s.stop() == 0)

    os.rename(weights, weights + ".away")
    s = Server(db, "--uploads", ":index:")
    answer = add(2)
    check("without the second network it is added", answer[0] == 201 and own() == n + 1, answer)
    check("... without the second vector", vectors(db) == n, vectors(db))
    os.rename(weights + ".away", weights)
    r = run("index", "-q", "--db", db)
    check("... which the next run makes", vectors(db) == n + 1, r.stderr)
    check("... ends with 0", s.stop() == 0)
    check("nothing is wrong with the index", run("check", "--db", db).returncode == 0)


def test_regions(db):
    """Regions that another program begins to keep are seen by the second model, too."""
    s = Server(db)
    one = s.get("/api/search?id=1&k=1&model=speaking")
    r = run("index", "-q", "--db", db, "--no-server", "--no-build", "--regions")
    red, blue = b"\xff\0\0", b"\0\0\xff"
    rows = b"".join(b"\0" + (red if y < 30 else blue) * 90 for y in range(90))
    with open(f"{W}/pics/halves.png", "wb") as out:
        out.write(png(90, 90, rows))
    r = run("index", "-q", "--db", db, "--no-server", "--no-build")
    check("regions are kept", r.returncode == 0 and one[0] == 200, r.stderr)
    part = png(30, 20, (b"\0" + blue * 30) * 20)
    found = s.ask("POST", "/api/search?model=speaking&k=40", part)
    check("... the server answers by those of the second model",
          any("region" in hit for hit in found[1].get("results", [])), found)
    check("... ends with 0", s.stop() == 0)


def test_files(db):
    """Another picture at a path, and another path: the server's folder of uploads."""
    folder = f"{W}/up"
    os.mkdir(folder)
    s = Server(db, "--uploads", folder)
    n = vectors(db)
    answer = s.ask("POST", "/api/pictures", png(60, 50, stripes(60, 50)))
    check("an upload into a folder has both", answer[0] == 201 and vectors(db) == n + 1, answer)
    (file,) = os.listdir(folder)
    os.rename(f"{folder}/{file}", f"{folder}/moved.png")
    r = run("index", "-q", "--db", db, folder)
    check("... moved, it keeps them", vectors(db) == n + 1, r.stderr)
    with open(f"{folder}/moved.png", "wb") as out:
        out.write(png(70, 20, stripes(70, 20)))
    r = run("index", "-q", "--db", db)
    found = run("query", "--no-server", "--db", db, "-k", "1", "--paths", "--model", "speaking",
                f"{folder}/moved.png").stdout.decode()
    check("... replaced, it has those of the new bytes",
          vectors(db) == n + 1 and found.strip() == f"{folder}/moved.png", (found, r.stderr))
    check("... ends with 0", s.stop() == 0)
    check("nothing is wrong with the index", run("check", "--db", db).returncode == 0)


def main():
    shutil.copy(f"{ENV['IMGSEARCH_LIBDIR']}/default.safetensors", f"{W}/w.safetensors")
    subprocess.run([f"{B}/tools/draw", f"{W}/pics", "5"], check=True)
    db = f"{W}/a.db"
    r = run("index", "-q", "--db", db, f"{W}/pics")
    check("pictures are indexed", r.returncode == 0, r.stderr.decode())
    s = Server(db)
    one, two = test_models(s, db)
    test_exchange(s, db, one, two)
    test_drop(s, db, two)
    check("ends with 0", s.stop() == 0)
    check("nothing is wrong with the index", run("check", "--db", db).returncode == 0)

    subprocess.run([sys.executable, f"{TOP}/tests/tools/speaking.py", f"{W}/model"], env=ENV,
                   check=True)
    db = f"{W}/b.db"
    run("index", "-q", "--db", db, f"{W}/model/pictures")
    r = run("index", "-q", "--db", db, "--add-model", f"{W}/model/speaking.safetensors")
    check("a model with words is the second", r.returncode == 0, r.stderr.decode())
    s = Server(db)
    test_words(s, db)
    check("... ends with 0", s.stop() == 0)

    db = f"{W}/c.db"
    run("index", "-q", "--db", db, f"{W}/model/pictures", f"{W}/pics")
    n = json.loads(run("info", "--json", "--db", db).stdout)["vectors"]
    second = f"{W}/d.db"
    shutil.copy(db, second)
    test_added_by_server(db, f"{W}/model/speaking.safetensors", n)
    run("index", "-q", "--db", second, "--add-model", f"{W}/model/speaking.safetensors")
    test_uploads(second)
    test_files(second)
    test_regions(second)


finish(main)
