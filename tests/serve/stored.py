#!/usr/bin/python3
"""Uploads that the index stores. stored.py [ADDRESS]: two servers over the empty index at that
address; else one over a file, which has one server."""

import json, os, sqlite3, subprocess, sys, threading
from urllib.parse import quote

from common import B, COMMAND, ENV, W, Server, check, error, finish, form, png, run, stripes

address = sys.argv[1] if len(sys.argv) > 1 else None


def picture(n):
    return png(48, 32 + n, stripes(48, 32 + n))


def add(server, data, name=""):
    status, body, _ = server.ask("POST", "/api/pictures?name=" + quote(name), data)
    return body["added"][0]["id"] if status == 201 else body


def forget(server, id):
    return server.ask("DELETE", f"/api/pictures/{id}?forget=1")


def shows(what, at, id, data):
    """Every server gives the bytes, a thumbnail, and the picture for its bytes and for a part."""
    part = json.dumps({"inputs": [{"id": id, "crop": [2, 2, 30, 20]}]})
    for s in at:
        status, full, headers = s.get(f"/api/pictures/{id}/full", raw=True)
        check(
            f"{what}: the bytes",
            status == 200 and full == data and headers["Content-Type"] == "image/png",
            full[:200],
        )
        status, thumb, _ = s.get(f"/api/pictures/{id}/thumb?size=128", raw=True)
        check("... a thumbnail", status == 200 and thumb[:2] == b"\xff\xd8", thumb[:200])
        hit = s.ask("POST", "/api/search?k=1", data)[1]["results"][0]
        check("... is found", hit["id"] == id and hit["score"] > 0.999, hit)
        hit = s.ask("POST", "/api/search", part, {"Content-Type": "application/json"})[1]
        check("... by a part of it, which is not all", 0 < hit["results"][0]["score"] < 0.999, hit)


def test_names(s):
    """The sender's name is a label: no file has it."""
    for sent, shown in (
        ("holiday.png", "holiday"),
        ("../../etc/passwd", "passwd"),
        ("/etc/shadow\n.jpg", "shadow_"),
        ("C:\\me\\K\u00f6ln \u202e.png", "K\u00f6ln _"),
        (".htaccess", None),
        ("", None),
        ("x" * 500 + ".png", "x" * 99),
    ):
        n = test_names.n = getattr(test_names, "n", 20) + 1
        id = add(s, picture(n), sent)
        path = s.get(f"/api/pictures/{id}")[1].get("path", "") if isinstance(id, int) else str(id)
        folder, _, name = path.partition("/")
        stem, _, number = name.rpartition("-")
        check(
            f"the name {sent[:20]!r}",
            folder == "uploads"
            and "/" not in name
            and (stem == shown if shown else stem[:2] == "20")
            and len(number) == 20,
            path,
        )
        forget(s, id)
    data, headers = form(('a"; filename="../f.png', picture(9)), ("b", b"no picture"))
    status, body, _ = s.ask("POST", "/api/pictures", data, headers)
    check(
        "a form, one of it no picture",
        status == 201 and [list(p) for p in body["added"]] == [["id"], ["error"]],
        body,
    )
    forget(s, body["added"][0]["id"])


def test_equal_bytes(one, other):
    data, ids = picture(1), []
    first = add(one, data, "one.png")
    check("the same bytes again: the item that has them", add(other, data, "b.png") == first)
    new = picture(2)
    threads = [
        threading.Thread(target=lambda s: ids.append(add(s, new, "new.png")), args=(s,))
        for s in (one, other) * 4
    ]
    [t.start() for t in threads], [t.join() for t in threads]
    check("many at once: one item", len(ids) == 8 and len(set(ids)) == 1, ids)
    forget(one, ids[0])
    return first, data


def test_held(one, other):
    data = picture(3)
    _, _, headers = one.ask("POST", "/api/search?k=1&hold=1", data)
    held = headers["Imgsearch-Held"]
    status, body, _ = one.ask("POST", f"/api/pictures?held={held}&name=held.png")
    id = body["added"][0]["id"]
    check("a held picture", status == 201 and other.get(f"/api/pictures/{id}")[0] == 200, body)
    forget(other, id)
    check("... gone at the other server", error(one.get(f"/api/pictures/{id}/full"), 404))


def test_kept_out(one, other):
    data = picture(4)
    id = add(one, data)
    status, item, _ = one.ask("DELETE", f"/api/pictures/{id}")
    check("removed: it is kept out", status == 200 and item["state"] == "kept out", item)
    listed = other.get("/api/pictures?state=kept-out")[1]
    check("... and listed", [p["id"] for p in listed["pictures"]] == [id], listed)
    for s in {one, other}:
        check("... it is not shown", error(s.get(f"/api/pictures/{id}/full"), 404)
              and error(s.get(f"/api/pictures/{id}/thumb"), 404))
    check("... and not added again", error(one.ask("POST", "/api/pictures", data), 400, "EINVAL"))
    status, item, _ = other.ask("POST", f"/api/pictures/{id}/readmit")
    full = one.get(f"/api/pictures/{id}/full", raw=True)[1]
    check("... until it is taken in again", status == 200 and item["state"] == "indexed"
          and full == data, item)
    forget(one, id)
    check("forgotten, it may be added again", add(one, data) > 0)
    forget(one, one.ask("POST", "/api/search?k=1", data)[1]["results"][0]["id"])


def test_commands(db, id, data):
    def ran(what, *args):
        r = run(*args)
        check(what, r.returncode == 0, r.stdout + r.stderr)
        return r.stdout

    found = ran("query by id", "query", "--db", db, f"id:{id}", "-k", "1", "--json")
    check("... names it", b"uploads/one-" in found, found)
    runs = [
        subprocess.Popen([COMMAND, "index", "--db", db, "--flip"], env=ENV, stderr=subprocess.PIPE)
        for i in range(2 if address else 1)
    ]
    said = [r.communicate(timeout=120)[1] for r in runs]
    check("another model, by all indexers at once", not any(r.returncode for r in runs), said)
    info = ran("... is that of the index", "info", "--db", db, "--json")
    check("... nothing is left", not json.loads(info).get("reindex"), (said, info))
    ran("check", "check", "--db", db)
    copy = W + "/copy.db"
    ran("copy", "copy", db, copy)
    s = Server(copy)
    shows("the copy", [s], id, data)
    s.stop()
    with sqlite3.connect(copy) as c:
        n = lambda: c.execute("SELECT count(DISTINCT picture) FROM stored_file").fetchone()[0]
        check("... has the bytes of one picture", n() == 1, n())
        ran("rm, by its name", "rm", "--db", copy, json.loads(found)["results"][0]["path"])
        check("... frees them", n() == 0, n())


def test_role(db):
    """A server whose role in PostgreSQL may only read."""
    reader = db.replace("imgsearch@", "reader@")
    s = Server(reader, "--uploads", ":index:", "--socket", W + "/3.sock")
    id = s.ask("POST", "/api/search?k=1", picture(1))[1]["results"][0]["id"]
    for what, answer in (
        ("an upload", s.ask("POST", "/api/pictures", picture(5))),
        ("a removal", s.ask("DELETE", f"/api/pictures/{id}")),
    ):
        told = answer[1].get("error", {}).get("message", "")
        check(f"{what} is refused", answer[0] == 403 and "may only read" in told, answer)
    check("ends with 0", s.stop() == 0)


def main():
    db = address or W + "/a.db"
    subprocess.run([B + "/tools/draw", W + "/pics", "1"], check=True, env=ENV)
    r = run("index", "--db", db, W + "/pics")
    check("pictures are indexed", r.returncode == 0, r.stderr.decode())
    options = ("--uploads", ":index:", "--cache", W + "/none/1", "--socket")
    one = other = Server(db, *options, W + "/1.sock")
    if address:
        other = Server(db, *options[:3], W + "/none/2", "--socket", W + "/2.sock")
    both = {one, other}
    check("uploads are taken", one.get("/api/info")[1]["uploads"])
    test_names(one)
    id, data = test_equal_bytes(one, other)
    shows("an upload", both, id, data)
    info = json.loads(run("info", "--db", db, "--json").stdout)
    check("info tells how many bytes are stored", info["stored_bytes"] == len(data), info)
    test_held(one, other)
    test_kept_out(one, other)
    check("no picture", error(one.ask("POST", "/api/pictures", b"no picture"), 415))
    check("no file is left", not os.path.exists("uploads") and not os.path.exists(W + "/uploads"))
    if address:
        test_role(db)
        test_commands(db, id, data)
        shows("after all that", both, id, data)
    for s in both:
        check("ends with 0", s.stop() == 0)
    if not address:
        test_commands(db, id, data)


finish(main)
