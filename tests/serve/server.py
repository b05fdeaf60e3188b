#!/usr/bin/python3
"""The server over HTTP: every route, bad input, hostile clients, its end. Needs nothing but
Python's own library."""

import ctypes, http.client, json, os, shutil, signal, socket, struct, subprocess, threading, zlib
import time

from common import B, COMMAND, ENV, TOP, W, Server, check, error, finish, form, png, raw, run
from common import sanitized, stripes, until


def test_reading(s, photo):
    status, page, headers = s.get("/", raw=True)
    check(
        "the page",
        status == 200 and b"imgsearch" in page and headers["Content-Type"].startswith("text/html"),
    )
    policy = headers.get("Content-Security-Policy", "")
    check(
        "... with a strict policy",
        "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy,
        policy,
    )
    check("... that asks nobody else", b"http://" not in page and b"https://" not in page)
    for path in (
        "/app.js", "/base.js", "/map.js", "/plane.js", "/groups.js", "/removed.js", "/style.css",
        "/icon.svg"
    ):
        status, text, headers = s.get(path, raw=True)
        check(
            path,
            status == 200 and len(text) > 100 and headers["X-Content-Type-Options"] == "nosniff",
        )
    status, info, _ = s.get("/api/info")
    check(
        "info",
        status == 200 and info["schema"] == 1 and info["counts"]["indexed"] == info["vectors"] > 0,
        info,
    )
    check("health", s.get("/api/health")[1]["status"] == "ok")
    status, some, _ = s.get("/api/sample?n=5&seed=3")
    check("sample", status == 200 and len({p["id"] for p in some["pictures"]}) == 5, some)
    one = some["pictures"][0]
    status, item, _ = s.get(f"/api/pictures/{one['id']}")
    check("a picture", item["path"] == one["path"] and item["width"] > 0)
    status, data, headers = s.get(f"/api/pictures/{one['id']}/thumb?size=128", raw=True)
    check(
        "a thumbnail",
        status == 200 and data[:2] == b"\xff\xd8" and headers["Content-Type"] == "image/jpeg",
    )
    check(
        "... from the cache",
        s.get(f"/api/pictures/{one['id']}/thumb?size=128", raw=True)[1] == data
        and os.listdir(W + "/cache/imgsearch/thumbs"),
    )
    check(
        "... of any size asked for",
        all(
            s.get(f"/api/pictures/{one['id']}/thumb?size={n}", raw=True)[0] == 200
            for n in ("1", "300", "4294967295")
        ),
    )
    status, data, _ = s.get(f"/api/pictures/{one['id']}/full", raw=True)
    check("the file itself", data == open(one["path"], "rb").read())
    os.rename(one["path"], one["path"] + ".away")
    open(W + "/secret", "w").write("what nobody was to see\n")
    os.symlink(W + "/secret", one["path"])
    check(
        "... nothing else that came to lie there",
        error(s.get(f"/api/pictures/{one['id']}/full"), 404),
    )
    os.unlink(one["path"])
    shutil.copy(TOP + "/tests/fuzz/seeds/bmp/RGB.bmp", one["path"])
    status, data, _ = s.get(f"/api/pictures/{one['id']}/full", raw=True)
    check("... a format that browsers may not know: a JPEG", data[:2] == b"\xff\xd8")
    os.rename(one["path"] + ".away", one["path"])
    check("HEAD", s.ask("HEAD", "/api/info", raw=True)[0] == 200)


def test_search(s, photo, path):
    check("search by id", s.get("/api/search?id=3&k=4")[1]["results"][0]["id"] == 3)
    check("... leaving it out", s.get("/api/search?id=3&k=4&no_self=1")[1]["results"][0]["id"] != 3)
    same = json.loads(
        run("query", "--no-server", "--db", W + "/a.db", "--json", "-k", "4", "id:3").stdout
    )
    check("the object of query --json", s.get("/api/search?id=3&k=4")[1] == same, same)
    status, body, headers = s.ask(
        "POST", "/api/search?k=2&hold=1", photo, {"Content-Type": "image/jpeg"}
    )
    check("search by upload", status == 200 and body["results"][0]["path"] == path, body)
    held = headers.get("Imgsearch-Held", "")
    check(
        "... is held",
        len(held) == 32 and s.get(f"/api/held/{held}", raw=True)[1][:2] == b"\xff\xd8",
    )
    status, part, _ = s.ask("POST", "/api/search?k=3&crop=10,10,60,60", photo)
    check(
        "search with a part",
        status == 200 and part["results"][0]["score"] != body["results"][0]["score"],
    )
    query = json.dumps({"inputs": [{"held": held, "crop": [10, 10, 60, 60]}], "k": 3})
    check(
        "... of a held picture",
        s.ask("POST", "/api/search", query, {"Content-Type": "application/json"})[1]["results"]
        == part["results"],
    )
    data, headers = form(("picture", photo))
    check(
        "search by form",
        s.ask("POST", "/api/search?k=1", data, headers)[1]["results"][0]["path"] == path,
    )
    data, headers = form(
        ("p", photo),
        (
            "query",
            json.dumps(
                {"inputs": [{"part": "p"}, {"id": 2, "weight": -0.5}], "k": 3, "no_self": False}
            ).encode(),
        ),
    )
    check("combined, one pushed away", s.ask("POST", "/api/search", data, headers)[0] == 200)
    data = data.replace(b'name="p"; filename="x"', b'filename="a; name=b \\"; name=c"; name="p"')
    check(
        "a file name like a parameter",
        b"name=c" in data and s.ask("POST", "/api/search", data, headers)[0] == 200,
    )
    dim = s.get("/api/info")[1]["dim"]
    ask = lambda q: s.ask(
        "POST", "/api/search", json.dumps(q), {"Content-Type": "application/json"}
    )
    check(
        "search by vector",
        len(ask({"inputs": [{"vector": [0.5] * dim}], "k": 2})[1]["results"]) == 2,
    )
    some = ask({"inputs": [{"id": 1}], "ids": [4, 2]})[1]["results"]
    check("only some ids", sorted(h["id"] for h in some) == [2, 4], some)
    a = s.get("/api/search?id=1&under=/nowhere")[1]
    check("only a folder", a["results"] == [] and "lies below" in a["warning"], a)
    whole = s.get("/api/search?id=1&k=50")[1]["results"]
    least = whole[len(whole) // 2]["score"]
    check(
        "min_score",
        s.get(f"/api/search?id=1&k=50&min_score={least}")[1]["results"]
        == [h for h in whole if h["score"] >= least]
        != whole,
        whole,
    )
    for name, query in {
        "no JSON": "{",
        "a list": "[]",
        "twice the same": '{"k":1,"k":2}',
        "nothing": "{}",
        "unknown": '{"x":1}',
        "wrong kind": '{"k":[1]}',
    }.items():
        check(
            f"JSON: {name}",
            error(s.ask("POST", "/api/search", query, {"Content-Type": "application/json"}), 400),
            query,
        )
    for name, query in {
        "empty vector": {"inputs": [{"vector": []}]},
        "short vector": {"inputs": [{"vector": [1]}]},
        "words": {"inputs": [{"vector": ["a"] * dim}]},
        "no input": {"inputs": [{}]},
        "no object": {"inputs": [3]},
        "crop": {"inputs": [{"id": 1, "crop": [1, 2, 0, 4]}]},
        "weight": {"inputs": [{"id": 1, "weight": "x"}]},
        "crop of words": {"inputs": [{"id": 1, "crop": ["a", "b", 4, 4]}]},
        "unknown": {"inputs": [{"id": 3, "wieght": -1}]},
        "two at once": {"inputs": [{"id": 3, "vector": [1]}]},
        "part": {"inputs": [{"part": "nobody"}]},
        "held path": {"inputs": [{"held": "../../etc/passwd"}]},
        "many": {"inputs": [{"id": 1}] * 33},
    }.items():
        check(f"inputs: {name}", error(ask(query), 400), ask(query))
    check("held no longer", error(ask({"inputs": [{"held": "0" * 32}]}), 410))
    for k in "0", "-1", "1000000000", "", "x", "1e3", "99999999999999999999999":
        check(f"k={k}", error(s.get(f"/api/search?id=1&k={k}"), 400, "EINVAL"))
    check("no such id", error(s.get("/api/search?id=999999"), 404, "ENOTFOUND"))
    for crop in (
        "0,0,9,0", "-1,0,9,9", "0,0,9", "0,0,9,9,9", "0,0,9,9x", "4294967296,0,9,9",
        "0,0,9,9" + " " * 99, ""
    ):
        check(
            f"crop={crop.strip()}",
            error(
                s.ask("POST", "/api/search?crop=" + crop.replace(" ", "%20"), photo), 400, "EINVAL"
            ),
        )
    data, headers = form(("picture", photo))
    check(
        "crop without a body's picture",
        error(s.get("/api/search?id=3&crop=0,0,9,9"), 400)
        and error(s.ask("POST", "/api/search?crop=0,0,9,9", data, headers), 400),
    )
    check("unknown parameter", error(s.get("/api/search?id=1&bad=1"), 400))


def test_strict(s):
    """What is not known, comes twice or is no whole value is refused, and named."""
    told = lambda a, name: error(a, 400, "EINVAL") and name in a[1]["error"]["message"]
    for path in (
        "/api/search?id=1", "/api/pictures?limit=1", "/api/pictures/1?", "/api/pictures/1/thumb?",
        "/api/pictures/1/full?", "/api/sample?", "/api/info?", "/api/health?", "/api/map?",
        "/api/groups?", "/api/held/0?",
    ):
        more = path + ("what=1" if path[-1] == "?" else "&what=1")
        check(f"{path}: unknown", told(s.get(more), '"what"'), s.get(more))
    check("unknown with DELETE", told(s.ask("DELETE", "/api/pictures/1?size=3"), '"size"')
          and s.get("/api/pictures/1")[1]["state"] == "indexed")
    check("unknown with POST", told(s.ask("POST", "/api/pictures?nmae=a", b"x"), '"nmae"')
          and told(s.ask("POST", "/api/reject?a=1", b"{}"), '"a"'))
    for path, name in (
        ("/api/search?id=1&k=3&k=4", "k"), ("/api/search?id=1&under=/a&under=/b", "under"),
        ("/api/pictures?limit=1&limit=1", "limit"), ("/api/sample?n=1&seed=1&n=2", "n"),
        ("/api/pictures/1/thumb?size=1&size=2", "size"), ("/api/map?refresh=1&refresh=1", "refresh")
    ):
        check(f"twice: {path}", told(s.get(path), name + ": given twice"), s.get(path))
    check("some may come again", s.get("/api/search?id=1&id=2&keyword=a&keyword=b")[0] == 200)
    for path, values in (
        ("/api/sample?n=", ("", "0", "-1", "201", "x", "1x", "+1", "%201", "1e1", "9" * 30)),
        ("/api/sample?seed=", ("", "-1", "x", "9" * 19)),
        ("/api/pictures/1/thumb?size=", ("", "0", "-1", "x", "4294967296", "9" * 30)),
        ("/api/pictures?offset=", ("", "%201", "+1", "9" * 19)),
        ("/api/map?refresh=", ("", "2", "yes")),
        ("/api/search?id=1&k=", ("+1", "%201", "1%20", "0x1")),
        ("/api/search?id=", ("+1", "%201", "-1", "9" * 19)),
        ("/api/search?id=1&recall=", ("nan", "inf", "0x1p-1", "%200.5", "1,0", "1e", "")),
        ("/api/search?id=1&hold=", ("2", "true")),
    ):
        name = path[:-1].replace("?", "&").rsplit("&", 1)[1]
        for value in values:
            check(f"{path}{value}", told(s.get(path + value), name + ": "), s.get(path + value))
    check("without a value", told(s.get("/api/sample?n"), "n: "))
    as_json = {"Content-Type": "application/json"}
    ask = lambda q: s.ask("POST", "/api/search", json.dumps({"inputs": [{"id": 1}], **q}), as_json)
    for name, value in (
        ("k", "5"), ("k", True), ("k", 5.0), ("k", None), ("no_self", "1"), ("under", 3),
        ("where", True), ("searcher", 1), ("recall", True), ("what", 1), ("what", None),
        ("hold", "1"), ("keyword", 1), ("keyword", [1]), ("model", {}), ("ids", "1"),
    ):
        check(f"JSON: {name}: {value}", told(ask({name: value}), name), ask({name: value}))
    check("JSON: as it should be", ask({"k": 5, "no_self": True, "recall": 1, "min_score": 0.0,
                                        "plain": 0, "keyword": "a", "under": "/"})[0] == 200)
    pair = lambda q: s.ask("POST", "/api/reject", json.dumps(q), as_json)
    check("a pair with a third", told(pair({"a": 1, "b": 2, "c": 3}), '"c"'))
    check("no pair", told(pair({"a": "1", "b": 2}), '"a"') and told(pair([1, 2]), '"a"'))


def with_xmp(data, attributes):
    """A PNG with a block of XMP behind its header."""
    text = (
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description"
        " xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmlns:tiff='http://ns.adobe.com/tiff/1.0/' "
        + attributes + "/></rdf:RDF>"
    ).encode()
    body = b"iTXtXML:com.adobe.xmp\0\0\0\0\0" + text
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:33] + chunk + data[33:]


def test_described():
    """Filters, and pages of pictures, on an index of their own."""
    os.makedirs(W + "/described")
    for i in range(9):
        said = f"xmp:CreateDate='202{i % 3}-0{i + 1}-01' xmp:Rating='{i % 4}' tiff:Model='M{i}'"
        data = png(30 + i, 40, stripes(30 + i, 40))
        if i:
            data = with_xmp(data, said)
        open(f"{W}/described/{i}.png", "wb").write(data)
    run("index", "--db", W + "/d.db", W + "/described")
    s = Server(W + "/d.db")
    name = lambda p: os.path.basename(p["path"])[:-4]
    names = lambda a: "".join(name(p) for p in a[1].get("pictures", a[1].get("results")))
    page = lambda q: s.get("/api/pictures" + q)
    status, body, _ = page("?sort=date")
    check("pictures by date", status == 200 and names((0, body)) == "361472580", names((0, body)))
    check("... how many there are", body["total"] == 9 and body["offset"] == 0, body["total"])
    first = body["pictures"][0]
    check("... with date and camera", first["columns"]["date"] == "2020-04-01"
          and first["columns"]["camera"] == "M3", first)
    pages = "".join(names(page(f"?sort=date&limit=2&offset={n}")) for n in range(0, 10, 2))
    check("... in pages", pages == "361472580", pages)
    check("... from the end", names(page("?sort=date&reverse=1&limit=3")) == "852")
    check("... none", page("?limit=0")[1]["pictures"] == [] and page("?limit=0")[1]["total"] == 9)
    check("... that match", names(page("?after=2021&before=2022&sort=id")) == "147")
    check("... whose camera, below a folder",
          names(page(f"?camera=m5&under={W}/described")) == "5"
          and names(page("?under=/nowhere")) == "")
    check("... that the index has nothing of",
          "lies below" in page("?under=/nowhere")[1]["warning"]
          and "warning" not in page("?camera=none")[1])
    for bad in ("sort=size", "limit=1001", "offset=-1", "offset=x", "reverse=2", "bad=1",
                "where=rating", "near=1", "after=May", "keyword=", "where=ratng%3E1"):
        check(f"pictures?{bad}", error(page("?" + bad), 400, "EINVAL"), page("?" + bad))
    ids = lambda q: sorted(p[0] for p in s.done("/api/map?" + q)[1]["points"])
    every = sorted(p["id"] for p in page("?")[1]["pictures"])
    check("the map of some", ids("after=2021&before=2022") == sorted(
        p["id"] for p in page("?after=2021&before=2022")[1]["pictures"]))
    check("... of a folder", ids(f"under={W}/described") == every and ids("under=/nowhere") == [])
    check("... of all", ids("") == every)
    check("... of some again", len(ids("after=2021&before=2022")) == 3)
    many = [ids(f"where=rating%3E{n}") for n in (-1, 0, 1, 2, 3, 4, 5, 6, 7, 8)]
    check("... of more than are kept", [len(m) for m in many] == [8, 6, 4, 2, 0, 0, 0, 0, 0, 0],
          many)
    open(f"{W}/described/copy.png", "wb").write(open(f"{W}/described/5.png", "rb").read() + b"x")
    run("index", "--db", W + "/d.db")
    groups = lambda q: s.done(("/api/groups?refresh=1&" + q).rstrip("&"))[1]["groups"]
    count = lambda q: [g["kind"] for g in groups(q)].count("picture")
    check("groups of some", (count("camera=M5"), count("camera=M6"), count("")) == (1, 0, 1),
          (count("camera=M5"), count("camera=M6"), count("")))
    for view in "map", "groups":
        for bad in "bad=1", "near=1", "after=May", "where=ratng%3E1":
            a = s.done(f"/api/{view}?{bad}")
            check(f"{view}?{bad}", error(a, 400, "EINVAL"), a)
    os.remove(f"{W}/described/copy.png")
    run("index", "--db", W + "/d.db")
    search = lambda q: s.get("/api/search?id=1&k=50&" + q)
    found = lambda q: "".join(sorted(names(search(q))))
    rated = found("where=rating%20%3E=%202")
    check("search: where", rated == "2367", rated)
    check("... after, before", found("after=2022&before=2022-07") == "25")
    check("... camera", found("camera=m8") == "8")
    check("... nothing", found("keyword=none") == "")
    check("... near", error(search("near=1,2"), 400) and found("near=1,2,3") == "")
    as_json = {"Content-Type": "application/json"}
    ask = lambda q: s.ask("POST", "/api/search", json.dumps(q), as_json)
    body = {"inputs": [{"id": 1}], "k": 50, "where": "not rating >= 2", "keyword": []}
    check("... by JSON", "".join(sorted(names(ask(body)))) == "1458", ask(body))
    check("... with ids", names(ask(dict(body, ids=[2, 3]))) == "1", ask(dict(body, ids=[2, 3])))
    words = "--db", W + "/d.db", "--paths", "-k", "9", "--after", "2022", "id:3"
    there, alone = run("query", *words), run("query", "--no-server", *words)
    check("... by the command", there.stdout == alone.stdout and there.stdout.count(b"\n") == 3,
          there.stdout + alone.stdout)
    check("... and an end", s.stop() == 0)


def test_bad_pictures(s):
    bomb = png(60000, 60000)
    for name, data, status in (
        ("no picture", b"hello, world", 415),
        ("truncated", open(W + "/pics/city-01.jpg", "rb").read()[:900], 422),
        ("a bomb", bomb, 413),
        ("a broken PNG", png(50, 50, b"xx"), 422),
        ("zeros", b"\0" * 5000, 415),
        ("a PDF", b"%PDF-1.7" + b"\0" * 50, 415),
    ):
        answer = s.ask("POST", "/api/search", data)
        check(f"upload: {name}", error(answer, status), answer[:2])
    check("upload: empty", error(s.ask("POST", "/api/search", b""), 400))
    for name, data in {
        "no end": b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\nabc',
        "no parts": b"--XX--",
        "nothing": b"",
        "no boundary inside": b"hello",
        "headers cut off": b"--XX\r\nContent-Disp",
    }.items():
        check(
            f"form: {name}",
            error(
                s.ask(
                    "POST",
                    "/api/search",
                    data,
                    {"Content-Type": "multipart/form-data; boundary=XX"},
                ),
                400,
            ),
        )
    check(
        "form: no boundary",
        error(
            s.ask("POST", "/api/search", b"--XX--", {"Content-Type": "multipart/form-data"}), 400
        ),
    )


def test_strangers(s):
    host = f"localhost:{s.port}"
    check(
        "a foreign name (DNS rebinding)",
        error(s.get("/api/info", headers={"Host": "evil.example"}), 421, "EHOST"),
    )
    check(
        "... that looks like ours",
        error(s.get("/api/info", headers={"Host": "localhost.evil.example"}), 421),
    )
    check("an address", s.get("/api/info", headers={"Host": f"127.0.0.1:{s.port}"})[0] == 200)
    post = lambda **h: s.ask(
        "POST", "/api/reject", b'{"a":1,"b":2}', {k.replace("_", "-"): v for k, v in h.items()}
    )
    check(
        "a foreign page writes",
        error(post(Host=host, Origin="http://evil.example"), 403, "EORIGIN"),
    )
    check("... from nowhere", error(post(Host=host, Origin="null"), 403))
    check("... from another port", error(post(Host=host, Origin="http://localhost:1"), 403))
    check("... without Origin", error(post(Host=host, Sec_Fetch_Site="cross-site"), 403))
    check(
        "our own page writes",
        post(Host=host, Origin=f"http://{host}", Sec_Fetch_Site="same-origin")[0] == 200,
    )
    for path in (
        "/../../etc/passwd", "/api/pictures/../../etc/passwd",
        "/api/pictures/1/full/../../../etc/passwd", "/api/pictures/%2e%2e/full", "/api/pictures/-1",
        "/api/pictures/1x", "/api/pictures/99999999999999999999/full", "/api/held/../x",
        "/page/app.js", "//etc/passwd", "/api/held/", "/api/pictures/1/thumb/x", "/api/index"
    ):
        check(f"no way to {path}", error(s.get(path), 404), path)
    check(
        "wrong method",
        error(s.ask("DELETE", "/api/info"), 405, "EMETHOD")
        and error(s.ask("PUT", "/"), 405)
        and error(s.ask("GET", "/api/reject"), 405)
        and all(error(s.ask(m, "/api/pictures/1"), 405)
                for m in ("ET", "GE", "get", "DEL", "DELETES", "LETE", "POST", "OPTIONS", ",")),
    )
    check("... which are named", s.ask("PUT", "/api/pictures/1")[2].get("Allow")
          == "GET, HEAD, DELETE" and s.ask("PUT", "/")[2].get("Allow") == "GET, HEAD")


def test_rough_clients(s, photo):
    head = f"POST /api/search HTTP/1.1\r\nHost: localhost:{s.port}\r\n".encode()
    got = raw(s, head + b"Content-Length: 2147483648\r\n\r\n")
    check("2 GB announced", b" 413 " in got.split(b"\r\n")[0], got[:80])
    for data in (
        b"Transfer-Encoding: chunked\r\n\r\n100000\r\n" + b"x" * 4000,
        b"Content-Length: 100000\r\n\r\n" + photo[:500],
    ):
        with socket.create_connection(("127.0.0.1", s.port)) as c:
            c.sendall(head + data)
    check("a client that vanishes", s.alive())
    got = raw(s, head + b"Content-Length: %d\r\n\r\n" % len(photo) + photo, shut=True, wait=20)
    check("half closed", b" 200 " in got.split(b"\r\n")[0], got[:80])
    for name, data, status in (
        ("binary", bytes(range(256)) * 20, 400),
        ("long line", b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\n\r\n", 414),
        ("many headers", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20000 + b"\r\n", 431),
        ("no host", b"GET /api/info HTTP/1.1\r\n\r\n", 400),
        ("bad length", head + b"Content-Length: -5\r\n\r\n", 400),
    ):
        got = raw(s, data, wait=20)
        answered = b" %d " % status in got.split(b"\r\n")[0]
        check(f"malformed: {name}", answered and s.alive(), got[:80])
    check("malformed: no HTTP", raw(s, b"hello\r\n\r\n", wait=20) == b"" and s.alive())
    idle = [socket.create_connection(("127.0.0.1", s.port)) for _ in range(60)]
    for c in idle:
        c.sendall(b"GET / HTTP/1.1\r\nHo")
    check("many that say nothing", s.alive())
    for c in idle:
        c.close()
    results = []

    def worker(i):
        for k in range(5):
            more = bytes([i, k]) if i % 2 else b""  # behind the end of the picture: other bytes
            results.append(s.ask("POST", "/api/search?k=3", photo + more)[0])

    threads = [threading.Thread(target=worker, args=(i,)) for i in range(8)]
    [t.start() for t in threads], [t.join() for t in threads]
    check("many at once", results == [200] * 40, results)


def test_framing(s):
    """Where a request ends must have one answer, else a proxy in front may read another."""
    get = f"GET /api/health HTTP/1.1\r\nHost: localhost:{s.port}\r\n\r\n".encode()
    head = f"POST /api/search HTTP/1.1\r\nHost: localhost:{s.port}\r\n".encode()
    chunked = b"Transfer-Encoding: chunked\r\n"
    body = b"0\r\n\r\n"
    for name, lines in (
        ("two lengths", b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(get)),
        ("the same length twice", b"Content-Length: 5\r\nContent-Length: 5\r\n"),
        ("a list of lengths", b"Content-Length: 5, 5\r\n"),
        ("a length with a sign", b"Content-Length: +5\r\n"),
        ("a length in hex", b"Content-Length: 0x5\r\n"),
        ("length and chunks", b"Content-Length: 5\r\n" + chunked),
        ("chunks and length", chunked + b"Content-Length: 5\r\n"),
        ("another encoding", b"Transfer-Encoding: gzip\r\n"),
        ("two encodings", b"Transfer-Encoding: gzip, chunked\r\n"),
        ("chunks twice", chunked + chunked),
        ("an encoding that looks like it", b"Transfer-Encoding: xchunked\r\n"),
        ("two hosts", b"Host: evil.example\r\nContent-Length: 5\r\n"),
    ):
        start = time.time()
        got = raw(s, head + lines + b"\r\n" + body + get, wait=20)
        check(f"framing: {name}", b" 400 " in got.split(b"\r\n")[0] and time.time() - start < 10,
              got[:80])
        check("... and nothing behind it is answered", b" 200 " not in got, got)
    got = raw(s, head + chunked + b"\r\n" + body + get, wait=3)
    check("framing: chunks alone are fine", got.count(b"HTTP/1.1 ") == 2, got)


def test_cached():
    """What a browser and the server keep: right after a change, bounded."""
    db, path, cache = W + "/c.db", W + "/shown/a.png", W + "/thumbs"
    os.makedirs(W + "/shown")
    open(path, "wb").write(png(90, 40, stripes(90, 40)))
    run("index", "--db", db, W + "/shown")
    name = lambda n: f"{cache}/{n:02x}/{n:02x}" + "0" * 62 + "-256.jpg"
    for n in range(20):
        os.makedirs(f"{cache}/{n:02x}")
        open(name(n), "wb").write(b"x" * 100000)
        os.utime(name(n), (1000 + n, 1000 + n))
    open(cache + "/00/other.txt", "wb").write(b"x" * 2000000)
    s = Server(db, "--cache", cache, "--cache-size", "1M")
    get = lambda what: s.get("/api/pictures/1/" + what, raw=True)
    status, first, headers = get("thumb")
    left = [n for n in range(20) if os.path.exists(name(n))]
    check("thumbnails are bounded, those used last stay", status == 200
          and left == list(range(20 - len(left), 20)) and 8 <= len(left) <= 10, left)
    check("... other files are left alone", os.path.exists(cache + "/00/other.txt"))
    kept = lambda: [f for _, _, fs in os.walk(cache) for f in fs
                    if "000000" not in f and f != "other.txt"]
    check("... the new one is kept", len(kept()) == 1, kept())
    for what in "thumb", "full":
        _, body, headers = get(what)
        tag = headers.get("ETag", "")
        status, again, h = s.get(
            f"/api/pictures/1/{what}", raw=True, headers={"If-None-Match": tag})
        check(f"{what}: a tag, and nothing new", status == 304 and again == b""
              and h["ETag"] == tag and len(tag) > 60 and "no-cache" in h["Cache-Control"], h)
        status, again, _ = s.get(f"/api/pictures/1/{what}", raw=True,
                                 headers={"If-None-Match": '"other"'})
        check("... another tag", status == 200 and again == body)
        hash = s.get("/api/pictures/1")[1]["hash"]
        long = lambda v: get(f"{what}?v={v}")[2]["Cache-Control"]
        check("... for ever where the request names the content",
              "immutable" in long(hash) and "immutable" not in long("0" * 64), long(hash))
    old = get("thumb")[2]["ETag"]
    open(path, "wb").write(png(40, 90, stripes(40, 90)))
    status, second, headers = s.get("/api/pictures/1/thumb", raw=True,
                                    headers={"If-None-Match": old})
    check("a file that changed: another thumbnail", status == 200 and second != first
          and headers["ETag"] != old, headers)
    check("... is not kept under the old content", len(kept()) == 1
          and open([os.path.join(d, f) for d, _, fs in os.walk(cache) for f in fs
                    if f in kept()][0], "rb").read() == first)
    run("index", "--db", db, W + "/shown")
    check("... nor after the next run", get("thumb")[1] == second and len(kept()) == 2, kept())
    s.ask("DELETE", "/api/pictures/1")
    status, _, headers = s.get("/api/pictures/1/thumb", raw=True, headers={"If-None-Match": "*"})
    check("removed: no 304, and no thumbnail of it stays", status == 404
          and "ETag" not in headers and len(kept()) == 1, (status, headers, kept()))
    check("... ends with 0", s.stop() == 0)


def is_strict():
    """Whether this libmicrohttpd refuses what is not quite HTTP: 1.0 does, 0.9.75 does not."""
    for name in ("libmicrohttpd.so.12", "libmicrohttpd.so"):
        try:
            version = ctypes.CDLL(name).MHD_get_version
        except OSError:
            continue
        version.restype = ctypes.c_char_p
        return int(version().split(b".")[0]) >= 1
    return False


def test_loose(s):
    host = f"Host: localhost:{s.port}\r\n".encode()
    old = b"GET /api/health HTTP/1.1\r\n" + host
    for name, data in (
        ("bare line feeds", (old + b"\r\n").replace(b"\r\n", b"\n")),
        ("a folded header", old + b"A: b\r\n c\r\n\r\n"),
        ("a zero byte", old + b"A: b\0c\r\n\r\n"),
        ("space before the colon", old + b"A : b\r\n\r\n"),
    ):
        got = raw(s, data, wait=3)
        check(f"loose: {name}: refused where libmicrohttpd can",
              s.alive() and not (is_strict() and b" 200 " in got.split(b"\r\n")[0]), got[:80])


def test_writing(s, photo):
    before = s.get("/api/info")[1]["counts"]["indexed"]
    new = png(64, 48, stripes(64, 48))
    status, body, _ = s.ask("POST", "/api/pictures", new)
    check("add a picture", status == 201 and body["added"][0]["id"] > 0, body)
    id = body["added"][0]["id"]
    kept = os.listdir(W + "/uploads")
    check("... is kept under a name of ours", len(kept) == 1 and kept[0].endswith(".png"), kept)
    check("... is found", s.ask("POST", "/api/search?k=1", new)[1]["results"][0]["id"] == id)
    again = s.ask("POST", "/api/pictures", new)[1]["added"]
    check("the same bytes again are the same picture", again == [{"id": id}]
          and os.listdir(W + "/uploads") == kept, again)
    known = s.ask("POST", "/api/pictures", photo)[1]["added"][0]["id"]
    path = s.get(f"/api/pictures/{known}")[1]["path"]
    check("... also where a folder has them", os.listdir(W + "/uploads") == kept
          and open(path, "rb").read() == photo, path)
    results = []
    threads = [
        threading.Thread(
            target=lambda i: results.append(
                s.ask("POST", "/api/pictures", png(40, 30 + i, stripes(40, 30 + i)))
            ),
            args=(i,),
        )
        for i in range(6)
    ]
    [t.start() for t in threads], [t.join() for t in threads]
    check("many at once wait for each other", [r[0] for r in results] == [201] * 6, results)
    for r in results:
        s.ask("DELETE", f"/api/pictures/{r[1]['added'][0]['id']}")
    data, headers = form(('../../../evil"; x="', photo), ("b", b"no picture"))
    status, body, _ = s.ask("POST", "/api/pictures", data, headers)
    check(
        "add by form, one bad",
        status == 201 and [list(p) for p in body["added"]] == [["id"], ["error"]],
        body,
    )
    check(
        "no picture leaves no file",
        error(s.ask("POST", "/api/pictures", b"no picture"), 415)
        and all(n.endswith((".png", ".jpg")) for n in os.listdir(W + "/uploads")),
    )
    test_removing(s, id, new)
    check(
        "reject: bad",
        error(s.ask("POST", "/api/reject", b"{}"), 400)
        and error(s.ask("POST", "/api/reject", b'{"a":1,"b":999999}'), 404),
    )


def test_removing(s, id, data):
    """What is removed stays out, until it is asked back."""
    there = lambda: [p["id"] for p in s.get("/api/pictures?state=kept-out")[1]["pictures"]]
    kept = os.listdir(W + "/uploads")
    others = there()
    status, item, _ = s.ask("DELETE", f"/api/pictures/{id}")
    check("remove it", status == 200 and item["state"] == "kept out", item)
    check("... nothing shows it", error(s.get(f"/api/pictures/{id}/full"), 404)
          and error(s.get(f"/api/pictures/{id}/thumb"), 404)
          and error(s.get(f"/api/search?id={id}"), 404))
    check("... or finds it", s.ask("POST", "/api/search?k=1", data)[1]["results"][0]["id"] != id)
    check("... it is listed", set(there()) - set(others) == {id}, there())
    check("... its file stays", os.listdir(W + "/uploads") == kept)
    run("index", "--db", W + "/a.db", W + "/uploads")
    check("an index run leaves it out", s.get(f"/api/pictures/{id}")[1]["state"] == "kept out")
    check("an upload of its bytes is refused, and leaves no file",
          error(s.ask("POST", "/api/pictures", data), 400) and os.listdir(W + "/uploads") == kept)
    status, item, _ = s.ask("POST", f"/api/pictures/{id}/readmit")
    check("taken in again", status == 200 and item["state"] == "indexed" and there() == others,
          item)
    check("... it is found", s.ask("POST", "/api/search?k=1", data)[1]["results"][0]["id"] == id)
    check("... what is in cannot be", error(s.ask("POST", f"/api/pictures/{id}/readmit"), 400))
    check("... nor what is not there", error(s.ask("POST", "/api/pictures/99999/readmit"), 404))
    status, _, _ = s.ask("DELETE", f"/api/pictures/{id}?forget=1")
    check("forget it", status == 200 and error(s.get(f"/api/pictures/{id}"), 404)
          and error(s.ask("DELETE", f"/api/pictures/{id}"), 404))
    check("search by what was forgotten", error(s.get(f"/api/search?id={id}"), 404))


def test_index(s, db):
    """Over the unix socket, nothing that is not as it should be is passed over."""
    for name, value in (
        ("paths", W),
        ("include", {}),
        ("exclude", "x"),
        ("exclude", [3]),
        ("prune", "yes"),
        ("retry", 1),
        ("csv", 3),
        ("formats", 1),
        ("csv", {"hex": "6"}),
        ("csv", {"hex": "0x61"}),
        ("csv", {"hex": "61", "text": "a"}),
        ("prnue", True),
    ):
        c = http.client.HTTPConnection("localhost", timeout=60)
        c.sock = socket.socket(socket.AF_UNIX)
        c.sock.connect(db + ".sock")
        c.request(
            "POST", "/api/index", json.dumps({"paths": [W + "/pics"], "csv_key": None, name: value})
        )
        answer = c.getresponse()
        check(f"index: {name} that is wrong, {value}",
              answer.status == 400 and name.encode() in answer.read())
        c.close()


def test_whole(s):
    status, body = s.done("/api/map?refresh=1")
    check(
        "map",
        status == 200
        and len(body["points"]) == s.get("/api/info")[1]["vectors"]
        and all(0 <= p[1] <= 1 and 0 <= p[2] <= 1 for p in body["points"]),
        (len(body["points"]), s.get("/api/info")[1], body),
    )
    status, body = s.done("/api/groups?refresh=1")
    kinds = {
        k: [
            [os.path.basename(p["path"]) for p in g["pictures"]]
            for g in body["groups"]
            if g["kind"] == k
        ]
        for k in ("bytes", "picture", "scene")
    }
    check(
        "groups: same bytes",
        len(kinds["bytes"]) == 1 and {"city-01.jpg", "same.jpg"} <= set(kinds["bytes"][0]),
        kinds,
    )
    check(
        "groups: same picture, turned and mirrored",
        ["mirrored.png", "original.png", "turned.png"] in [sorted(g) for g in kinds["picture"]],
        kinds,
    )
    first = {os.path.basename(p["path"]): p["id"] for g in body["groups"] for p in g["pictures"]}
    s.ask(
        "POST", "/api/reject", json.dumps({"a": first["original.png"], "b": first["mirrored.png"]})
    )
    status, body = s.done("/api/groups?refresh=1")
    after = [sorted(os.path.basename(p["path"]) for p in g["pictures"]) for g in body["groups"]]
    check(
        "a rejected pair stays apart",
        not any("original.png" in g and "mirrored.png" in g for g in after),
        after,
    )
    one = next(p for g in body["groups"] for p in g["pictures"] if g["kind"] == "bytes")
    also = s.get(f"/api/pictures/{one['id']}")[1]["also"]
    check("a picture says where it lies, too", also and not also[0]["link"], also)
    hit = s.get(f"/api/search?id={one['id']}&k=1")[1]["results"][0]
    check("... and a hit", len(hit["also"]) == len(also), hit)
    words = ["query", "--db", W + "/a.db", "-k", "1", f"id:{one['id']}"]
    text = run(*words).stdout
    check(
        "... through the server as without it",
        b"\tcopy: " in text and text == run(*words, "--no-server").stdout,
        text,
    )
    line = run("dups", "--db", W + "/a.db", "--kind", "bytes", "--json").stdout
    check("dups --json", json.loads(line.splitlines()[0])["kind"] == "bytes", line)
    check("dups -0", b"\0\0" in run("dups", "--db", W + "/a.db", "-0").stdout)


def test_through(s, db):
    query = lambda *a: run("query", "--db", db, "-k", "3", *a)
    check(
        "query through the server",
        query(W + "/pics/city-02.jpg").stdout
        == query("--no-server", W + "/pics/city-02.jpg").stdout,
    )
    shutil.copy(W + "/pics/city-02.jpg", W + "/changed.jpg")
    open(W + "/changed.jpg", "ab").write(b"\0")
    nothing = dict(ENV, IMGSEARCH_LIBDIR=W + "/nothing")
    there = subprocess.run(
        [COMMAND, "query", "--db", db, W + "/changed.jpg"], env=nothing, capture_output=True
    )
    alone = subprocess.run(
        [COMMAND, "query", "--no-server", "--db", db, W + "/changed.jpg"],
        env=nothing,
        capture_output=True,
    )
    check(
        "... which has the network",
        there.returncode == 0 and alone.returncode == 3,
        there.stderr + alone.stderr,
    )
    check(
        "... of a bad file",
        query(W + "/nosuch.jpg").returncode == 3
        and b"nosuch.jpg: No such file" in query(W + "/nosuch.jpg").stderr,
    )
    check(
        "... by json",
        json.loads(query("--json", "id:1").stdout)
        == json.loads(query("--no-server", "--json", "id:1").stdout),
    )
    os.makedirs(W + "/more")
    open(W.encode() + b"/more/new <b>\xff.png", "wb").write(png(40, 40, stripes(40, 40)))
    r = run("index", "--db", db, "--json", W + "/more")
    check(
        "index through the server",
        r.returncode == 0 and json.loads(r.stdout)["added"] == 1,
        r.stdout + r.stderr,
    )
    found = json.loads(query("--json", "-k", "1", b"%s/more/new <b>\xff.png" % W.encode()).stdout)
    check("... a name that is not UTF-8", "path_b64" in found["results"][0], found)
    os.makedirs(W + "/more/private")
    shutil.copy(W + "/pics/city-01.jpg", W + "/more/private/a.jpg")
    more = lambda *words: json.loads(
        run("index", "--db", db, "--json", *words, W + "/more").stdout
    )
    remembered = lambda: [
        r["exclude"] + r["include"]
        for r in json.loads(run("info", "--db", db, "--json").stdout)["roots"]
        if r["path"] == W + "/more"
    ]
    r = more("-x", "private/", "-x", "none", "--reread")
    check(
        "index with patterns through the server",
        r["unmatched"] == ["none"] and r["excluded"] == 1 and r["rehashed"] == 1,
        r,
    )
    check("... which the index remembers", remembered() == [["private/", "none"]], remembered())
    shutil.rmtree(W + "/more/private")
    r = more("--no-exclude", "-i", "*.png")
    check("... and forgets", remembered() == [["*.png"]], remembered())
    more("--no-include")
    check("... all of them", remembered() == [[]], remembered())
    second = Server(db, wait=False)
    said = second.process.wait(20) == 3 and second.process.stderr.read()
    there = "already serves this index: http://localhost:%d/" % s.port
    check("a second server on the index names the first", said and there in said, said)


def test_links(db):
    """A picture is not read through a link that appeared since the index saw it."""
    os.makedirs(W + "/linked/sub"), os.makedirs(W + "/elsewhere")
    at = [W + "/linked/a.png", W + "/linked/sub/b.png"]
    for i, path in enumerate((*at, W + "/elsewhere/a.png", W + "/elsewhere/b.png")):
        with open(path, "wb") as f:
            f.write(png(50 + i, 31, stripes(50 + i, 31)))
    os.symlink(W + "/linked", W + "/way")
    run("index", "--db", db, W + "/way")
    s = Server(db)
    ids = [p["id"] for p in s.get("/api/pictures?sort=id")[1]["pictures"]]
    ways = lambda id: [
        s.get(f"/api/pictures/{id}/full", raw=True)[0],
        s.get(f"/api/pictures/{id}/thumb?size=512", raw=True)[0],
        s.ask("POST", "/api/search", json.dumps(
            {"inputs": [{"id": id, "crop": [0, 0, 20, 20]}]}).encode(),
            {"Content-Type": "application/json"})[0],
    ]
    check("pictures below a link that is named", [ways(id) for id in ids] == [[200] * 3] * 2,
          [ways(id) for id in ids])
    os.remove(at[0]), os.symlink(W + "/elsewhere/a.png", at[0])
    os.rename(W + "/linked/sub", W + "/linked/was"), os.symlink(W + "/elsewhere", W + "/linked/sub")
    got = [ways(id) for id in ids]
    check("a file, a folder that is a link now: 404", got == [[404] * 3] * 2, got)
    os.rename(W + "/linked", W + "/moved"), os.symlink(W + "/moved", W + "/linked")
    os.remove(W + "/moved/sub"), os.rename(W + "/moved/was", W + "/moved/sub")
    check("a link to where the root went is followed", ways(ids[1]) == [200] * 3, ways(ids[1]))
    os.remove(W + "/moved/a.png"), os.symlink(W + "/elsewhere/a.png", W + "/moved/a.png")
    run("index", "--no-server", "--db", db, "--follow-links", W + "/moved")
    found = s.get("/api/pictures?sort=id")[1]["pictures"]
    got = [ways(p["id"]) for p in found if p["path"] == W + "/moved/a.png"]
    check("one that the index follows is, too", got and got == [[200] * 3] * len(got), (got, found))
    s.stop()


def test_replaced(s, db):
    os.rename(db, W + "/old.db")
    for end in "-wal", "-shm":
        if os.path.exists(db + end):
            os.rename(db + end, W + "/old.db" + end)
    run("index", "--no-server", "--db", W + "/new.db", W + "/pics/city-01.jpg")
    os.rename(W + "/new.db", db)
    check(
        "an index replaced under the server",
        s.get("/api/info")[1]["vectors"] == 1,
        s.get("/api/info")[1],
    )


def test_end(s, photo):
    slow = socket.create_connection(("127.0.0.1", s.port))
    slow.sendall(
        b"POST /api/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\nabc"
    )
    s.get("/api/map?refresh=1")
    check("SIGTERM ends it with 0", s.stop() == 0)
    check("... and the socket is gone", not os.path.exists(W + "/a.db.sock"))
    slow.close()


def test_large(db):
    s = Server(db, "--max-upload", "1")
    head = f"POST /api/search HTTP/1.1\r\nHost: localhost:{s.port}\r\n".encode()
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    status = lambda got: got.split(b"\r\n")[0]
    got = raw(
        s,
        head
        + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        + 24 * piece
        + b"0\r\n\r\n",
        wait=20,
    )
    check(
        "a body in chunks that is too large",
        b" 413 " in status(got) and b"larger than 1 MB" in got,
        got[:80],
    )
    got = raw(
        s,
        head
        + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        + 15 * piece
        + b"0\r\n\r\n",
        wait=20,
    )
    check("... one that is not", b" 415 " in status(got), got[:80])
    got = raw(s, head + b"Transfer-Encoding: chunked\r\n\r\n" + 200 * piece, wait=20)
    check("... one without end is cut off", b" 200 " not in status(got) and s.alive(), got[:80])
    got = raw(s, head + b"Content-Length: 1048577\r\n\r\n", wait=2)
    check("one byte too many announced", b" 413 " in status(got), got[:80])
    s.stop()


def waits(pid):
    """Whether the process waits for bytes: all that was sent to it is read, and it sleeps."""
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rsplit(")")[1].split()[0] == "S"


def test_interrupt():
    """Ctrl-C while a server that will never answer is waited for."""
    db = W + "/i.db"
    run("index", "--db", db, W + "/pics/city-01.jpg")
    for name, words, head in (
        ("query", ("query", W + "/pics/city-02.jpg"), b""),
        ("index", ("index", W + "/pics/city-02.jpg"), b""),
        (
            "index under way",
            ("index", W + "/pics/city-02.jpg"),
            (
                b'HTTP/1.0 200 OK\r\n\r\n{"progress": {"stage": "index", "done": 1, "total": 2,'
                b' "failed": 0}}\n'
            ),
        ),
    ):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(db + ".sock")
        listener.listen(1)
        p = subprocess.Popen(
            [COMMAND, words[0], "--db", db, *words[1:]],
            env=ENV,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        c, _ = listener.accept()
        got = c.recv(1 << 16)
        while (
            words[0] == "query"
            and not got.endswith(b"--\r\n")
            or words[0] == "index"
            and not got.endswith(b"}")
        ):
            got += c.recv(1 << 16)
        c.sendall(head)
        until(lambda: waits(p.pid))
        p.send_signal(signal.SIGINT)
        try:
            _, err = p.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            p.kill()
            _, err = p.communicate()
        check(
            f"Ctrl-C: {name}", p.returncode == 130 and b"went away" not in err, (p.returncode, err)
        )
        c.close(), listener.close(), os.unlink(db + ".sock")


def anonymous(process):
    with open(f"/proc/{process.pid}/status") as f:
        return int(next(line for line in f if line.startswith("RssAnon")).split()[1])


def test_json_limits(s):
    """A tree of JSON takes many times its text: what is too much is refused before one is made."""
    ask = lambda path, body: s.ask("POST", path, body, {"Content-Type": "application/json"})
    bodies = {
        "many objects": b'{"inputs": [' + b"{}," * 30000 + b"{}]}",
        "many values": b'{"ids": [' + b"1," * 200000 + b"1]}",
        "nested lists": b'{"inputs": ' + b"[" * 9 + b"]" * 9 + b"}",
        "lists without end": b"[" * 500000,
    }
    for name, body in bodies.items():
        check(f"JSON: {name}", error(ask("/api/search", body), 400, "EINVAL"))
        check("... in a form", error(
            s.ask("POST", "/api/search", *form(("query", body))), 400, "EINVAL"))
        check("... in another request", error(ask("/api/reject", body), 400, "EINVAL"))
    strings = b'{"under": "' + b"[{," * 100000 + b'"}'
    check("JSON: brackets in a text are text", error(ask("/api/search", strings), 400)
          and b"nested" not in json.dumps(ask("/api/search", strings)[1]).encode())
    ids = b'{"inputs": [{"id": 1}], "ids": [' + b"1," * 99999 + b"1]}"
    check("JSON: as many ids as may be", ask("/api/search", ids)[0] == 200)
    head = f"POST /api/search HTTP/1.1\r\nHost: localhost:{s.port}\r\n".encode()
    got = raw(s, head + b"Content-Type: application/json\r\nContent-Length: 1048577\r\n\r\n")
    check("JSON: over a megabyte", b" 413 " in got.split(b"\r\n")[0] and b"than 1 MB" in got, got)
    chunks = (b" " * 65536 for _ in range(17))
    check("... in chunks", error(ask("/api/search", chunks), 413, "ELIMIT"))
    before = anonymous(s.process)
    for _ in range(60):
        for body in bodies.values():
            ask("/api/search", body)
    after = anonymous(s.process)
    check("hostile requests leave no memory behind",
          sanitized() or after < 1.2 * before + 1024, (before, after))


def test_token(db):
    """By default: the user's own, which is made once; then one of a file."""
    path = W + "/state/imgsearch/token"
    s = Server(db, token=True)
    token = open(path).read().strip()
    bearer = lambda t: {"Authorization": "Bearer " + t}
    check("a token is made, for this user alone",
          len(token) == 40 and os.stat(path).st_mode & 0o777 == 0o600, token)
    check("without it nothing is told", error(s.get("/api/info"), 401, "ETOKEN")
          and error(s.ask("DELETE", "/api/pictures/1"), 401))
    status, page, _ = s.get("/", raw=True)
    check("... and the page says where it is",
          status == 401 and b"imgsearch/token" in page and token.encode() not in page, page)
    check("with it", s.get("/api/info", headers=bearer(token))[0] == 200)
    check("a wrong one", error(s.get("/api/info", headers=bearer(token[:-1])), 401)
          and error(s.get("/api/info", headers=bearer(token + "0")), 401)
          and error(s.get("/api/info", headers=bearer("")), 401))
    status, _, headers = s.get("/?token=" + token, raw=True)
    cookie = headers.get("Set-Cookie", "")
    check(
        "signing in",
        status == 303
        and headers.get("Location") == "/"
        and "HttpOnly" in cookie
        and cookie.startswith(f"imgsearch_token_{s.port}=")
        and "Secure" not in cookie
        and s.get("/", headers={"Cookie": cookie.split(";")[0]}, raw=True)[0] == 200,
        cookie,
    )
    check("by a wrong one", s.get("/?token=" + token[::-1], raw=True)[0] == 401)
    check("another port's cookie is none", error(
        s.get("/api/info", headers={"Cookie": f"imgsearch_token_1={token}"}), 401))
    with open(f"/proc/{s.process.pid}/cmdline", "rb") as f:
        check("it is in no list of processes", token.encode() not in f.read())
    s.process.send_signal(signal.SIGTERM)
    out, err = s.process.communicate(timeout=40)
    check("nor in a log", token not in out + err and path in err, err)
    check("... ends with 0", s.process.returncode == 0)
    s = Server(db, token=True)
    check("a restart keeps it", s.get("/api/info", headers=bearer(token))[0] == 200)
    s.stop()
    os.chmod(path, 0o644)
    p = run("serve", "--db", db, "--port", "0")
    check("one that others may read is refused",
          p.returncode == 3 and b"others may read this token" in p.stderr, p)
    os.remove(path)

    open(W + "/token", "w").write("0123456789abcdef0123\n")
    open(W + "/weak", "w").write("abc\n")
    check("--listen needs a token",
          run("serve", "--db", db, "--listen", "127.0.0.1", "--no-token").returncode == 2)
    check("... a long one", run("serve", "--db", db, "--token-file", W + "/weak").returncode == 3)
    s = Server(db, "--listen", "127.0.0.1", "--token-file", W + "/token", "--host", "my.nas",
               "--read-only", token=True)
    own = bearer("0123456789abcdef0123")
    check("a token of a file", error(s.get("/api/info"), 401)
          and s.get("/api/info", headers=own)[0] == 200
          and s.get("/api/info", headers={**own, "Host": "my.nas"})[0] == 200)
    check(
        "read-only",
        error(s.ask("DELETE", "/api/pictures/1", headers=own), 403)
        and error(s.ask("POST", "/api/pictures/1/readmit", headers=own), 403)
        and error(s.ask("POST", "/api/pictures", b"x", own), 403),
    )
    check("... ends with 0", s.stop() == 0)


def test_one_server(db):
    """One server for an index, and each removes its own socket alone."""
    s = Server(db)
    p = run("serve", "--db", db, "--port", "0", "--no-token")
    check("a second server is refused", p.returncode == 3
          and f"localhost:{s.port}".encode() in p.stderr, p)
    p = run("serve", "--db", db, "--port", "0", "--no-token", "--socket", W + "/other.sock")
    check("... by another socket, too", p.returncode == 3
          and b"another server already serves this index" in p.stderr, p)
    os.link(db, W + "/b.db")
    p = run("serve", "--db", W + "/b.db", "--port", "0", "--no-token")
    os.remove(W + "/b.db")
    check("... and by another name of the file", p.returncode == 3, p)
    os.remove(db + ".sock")
    other = socket.socket(socket.AF_UNIX)
    other.bind(db + ".sock")
    check("ends with 0 where another socket is in its place", s.stop() == 0)
    check("... which stays", os.path.exists(db + ".sock"))
    other.close()
    s = Server(db)
    check("a dead socket is replaced", s.alive())
    s.process.kill()
    s.process.wait()
    s = Server(db)
    check("after a kill another one starts", s.alive() and s.stop() == 0)
    check("... and takes its socket away", not os.path.exists(db + ".sock"))


def test_origins(db):
    """Behind a proxy that speaks TLS; and where requests may come from at all."""
    for bad in ("photos.example", "https://", "https://photos.example/", "ftp://x", "https://a b"):
        check(f"--origin {bad}", run("serve", "--db", db, "--origin", bad).returncode == 2)
    s = Server(db, "--origin", "https://photos.example", "--origin", "https://[::1]:8443")
    here, there = f"http://localhost:{s.port}", "https://photos.example"
    search = lambda **h: s.ask(
        "POST", "/api/search", b'{"inputs": [{"id": 1}], "k": 1}',
        {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in h.items()}})
    check("the page behind the proxy may search", search(
        Host="photos.example", Origin=there, Sec_Fetch_Site="same-origin")[0] == 200)
    check("... where the proxy names another host", search(
        Host=f"localhost:{s.port}", Origin=there, Sec_Fetch_Site="same-origin")[0] == 200)
    check("... and one at an address", search(
        Host="[::1]:8443", Origin="https://[::1]:8443")[0] == 200)
    for origin in ("http://photos.example", "https://photos.example:444", "https://photos.exampl",
                   "https://photos.example.evil.example", "https://evil.example", "null"):
        check(f"not {origin}", error(search(Host="photos.example", Origin=origin), 403, "EORIGIN"))
    check("another name is none", error(search(Host="other.example"), 421, "EHOST"))
    get = lambda path, **h: s.ask(
        "GET", path, None, {"Host": f"localhost:{s.port}",
                            **{k.replace("_", "-"): v for k, v in h.items()}}, raw=True)[0]
    for path in ("/api/search?id=1", "/api/info", "/api/pictures/1/thumb", "/api/health"):
        check(f"GET {path} from the page", get(path, Sec_Fetch_Site="same-origin") == 200
              and get(path, Sec_Fetch_Site="none") == 200 and get(path) == 200
              and get(path, Referer=here + "/") == 200)
        check("... from another site", get(path, Sec_Fetch_Site="cross-site") == 403
              and get(path, Sec_Fetch_Site="same-site") == 403)
        check("... that an older browser names", get(path, Referer="http://evil.example/a") == 403
              and get(path, Referer=f"http://localhost:{s.port}1/") == 403
              and get(path, Origin="http://localhost:1") == 403)
    check("a link elsewhere may lead to the page", get("/", Sec_Fetch_Site="cross-site") == 200)
    check("... ends with 0", s.stop() == 0)
    s = Server(db, "--origin", "https://photos.example", token=True)
    token = open(W + "/state/imgsearch/token").read().strip()
    cookie = lambda host: s.get("/?token=" + token, raw=True, headers={"Host": host})[2].get(
        "Set-Cookie", "")
    check("a cookie through TLS is for TLS alone", cookie("photos.example").endswith("; Secure")
          and "Secure" not in cookie(f"localhost:{s.port}"), cookie("photos.example"))
    check("... ends with 0 again", s.stop() == 0)


def main():
    db = W + "/a.db"
    subprocess.run([B + "/tools/draw", W + "/pics", "2"], check=True, env=ENV)
    shutil.copy(W + "/pics/city-01.jpg", W + "/pics/same.jpg")
    rows = stripes(60, 40)
    pixel = lambda x, y: rows[y * 181 + 1 + 3 * x :][:3]
    open(W + "/pics/original.png", "wb").write(png(60, 40, rows))
    open(W + "/pics/mirrored.png", "wb").write(
        png(
            60,
            40,
            b"".join(b"\0" + b"".join(pixel(59 - x, y) for x in range(60)) for y in range(40)),
        )
    )
    open(W + "/pics/turned.png", "wb").write(
        png(
            40,
            60,
            b"".join(b"\0" + b"".join(pixel(y, 39 - x) for x in range(40)) for y in range(60)),
        )
    )
    os.makedirs(W + "/uploads")
    indexed = run("index", "--db", db, W + "/pics")
    check("pictures are indexed", indexed.returncode == 0, indexed.stderr.decode())
    path = W + "/pics/city-01.jpg"
    photo = open(path, "rb").read()
    s = Server(db, "--uploads", W + "/uploads")
    test_reading(s, photo)
    test_search(s, photo, path)
    test_strict(s)
    test_described()
    test_cached()
    test_bad_pictures(s)
    test_strangers(s)
    test_rough_clients(s, photo)
    test_json_limits(s)
    test_framing(s)
    test_loose(s)
    test_writing(s, photo)
    test_index(s, db)
    test_whole(s)
    test_through(s, db)
    test_replaced(s, db)
    test_end(s, photo)
    test_token(db)
    test_origins(db)
    test_links(W + "/links.db")
    test_one_server(db)
    test_large(db)
    test_interrupt()


finish(main)
