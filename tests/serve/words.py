#!/usr/bin/env python3
"""Words in a search over HTTP, with the fake shim's text tower."""
import json, os, subprocess, sys
from urllib.parse import quote

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import B, ENV, TOP, W, Server, check, error, finish, run

JSON = {"Content-Type": "application/json"}


def names(answer):
    return [os.path.basename(r["path"])[:-4] for r in answer[1].get("results", [])]


def inputs(server, *inputs, **more):
    return server.ask("POST", "/api/search", json.dumps({"inputs": inputs, **more}), JSON)


def test_words(s):
    answer = s.get("/api/search?text=a%20red%20car&k=2")
    check("a text finds its colour", names(answer)[:1] == ["red"], answer)
    check("... and is named as the query", answer[1].get("query") == "text", answer)
    answer = s.get("/api/search?text=white&not_text=blue")
    check("a text to push away from", names(answer)[0] in ("white", "yellow"), answer)
    check("... moves the order", names(answer) != names(s.get("/api/search?text=white")), answer)
    answer = s.get("/api/search?text=nothing&k=1&template=" + quote("{} in green"))
    check("a template is around the text", names(answer) == ["green"], answer)


def test_mixed(s):
    ids = {os.path.basename(p["path"])[:-4]: p["id"]
           for p in s.get("/api/pictures")[1]["pictures"]}
    answer = inputs(s, {"text": "yellow"}, {"text": "magenta"}, k=1)
    check("two texts: what both say", names(answer) == ["red"], answer)
    answer = inputs(s, {"id": ids["red"]}, {"text": "blue", "weight": 2}, k=8)
    check("a picture and a text", set(names(answer)[:2]) <= {"blue", "magenta"}, answer)
    answer = inputs(s, {"text": "red"}, {"id": ids["red"], "weight": -0.1}, k=1)
    check("a text, and away from a picture", len(names(answer)) == 1, answer)


def test_command(s, db):
    """The command asks the server, which says so by its count of searches."""
    before = s.get("/api/health")[1]["searches"]
    words = ("query", "--db", db, "--text", "nothing", "--template", "{} in green", "-k", "1")
    there, alone = run(*words, "--json"), run(*words, "--json", "--no-server")
    check("the command's text goes to the server",
          s.get("/api/health")[1]["searches"] == before + 1)
    check("... and has the answer of its own", there.stdout == alone.stdout,
          (there, alone))
    picture = f"{W}/model/pictures/red.png"
    words = ("query", "--db", db, picture, "--not", "--text", "green", "-k", "3", "--paths")
    there, alone = run(*words), run(*words, "--no-server")
    check("... beside a picture, too", there.stdout == alone.stdout and there.stdout, there)


def test_refused(s):
    for what, answer in (
        ("an empty text", s.get("/api/search?text=")),
        ("a blank text", s.get("/api/search?text=%20%09")),
        ("a text that is no UTF-8", s.get("/api/search?text=%ff")),
        ("a text with a zero byte", s.get("/api/search?text=a%00b")),
        ("a zero byte in another parameter", s.get("/api/pictures?state=indexed%00")),
        ("an escape that is none", s.get("/api/search?text=100%")),
        ("... in a name", s.get("/api/pictures?st%zzate=indexed")),
        ("... cut off", s.get("/api/search?text=a%4")),
        ("a template without a place", s.get("/api/search?text=red&template=photo")),
        ("a number for a text", inputs(s, {"text": 7})),
        ("a text and an id in one", inputs(s, {"text": "red", "id": 1})),
        ("a weight of 0", inputs(s, {"text": "red", "weight": 0})),
        ("a crop of a text", inputs(s, {"text": "red", "crop": [0, 0, 5, 5]})),
        ("a text of JSON that is blank", inputs(s, {"text": ""})),
    ):
        check(what, error(answer, 400, "EINVAL"), answer)
    answer = inputs(s, {"text": "red " * 20000})
    check("a text too long", error(answer, 413, "ELIMIT"), answer)
    check("the server lives", s.alive())


def main():
    subprocess.run([sys.executable, f"{TOP}/tests/tools/speaking.py", f"{W}/model"], env=ENV,
                   check=True)
    db, wordless = f"{W}/a.db", f"{W}/b.db"
    r = run("index", "-q", "--db", db, "--weights", f"{W}/model/speaking.safetensors",
            f"{W}/model/pictures")
    check("pictures are indexed", r.returncode == 0, r.stderr.decode())
    s = Server(db)
    check("it says that it takes words", s.get("/api/info")[1].get("words") is True)
    first = s.get("/api/search?text=red")
    if "libutf8proc" in str(first):
        print("# skipped: libutf8proc is missing")
    else:
        test_words(s)
        test_mixed(s)
        test_command(s, db)
        test_refused(s)
    check("ends with 0", s.stop() == 0)
    run("index", "-q", "--db", wordless, f"{W}/model/pictures")
    s = Server(wordless)
    check("another model takes none", s.get("/api/info")[1].get("words") is False)
    answer = s.get("/api/search?text=red")
    check("... and says so", error(answer, 415, "EUNSUPPORTED"), answer)
    check("... ends with 0", s.stop() == 0)


finish(main)
