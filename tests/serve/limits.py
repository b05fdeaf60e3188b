#!/usr/bin/python3
"""The server's limits: what one request may cost, clients that leave, many connections, index runs
that wait, pictures that go while a map is made, and how it ends while it works."""

import http.client, json, os, select, socket, subprocess, sys, threading, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import (
    COMMAND, ENV, W, Server, check, error, finish, form, png, run, sanitized, stripes, until
)

PHOTOS, DB, COUNT = W + "/pics", W + "/a.db", W + "/count"
made = 0


def runs():
    """How often the network ran."""
    return len(open(COUNT).readlines()) if os.path.exists(COUNT) else 0


def slow_server(*options, ms=200):
    ENV.update(FAKE_MS=str(ms), FAKE_COUNT=COUNT)
    try:
        return Server(DB, *options)
    finally:
        del ENV["FAKE_MS"], ENV["FAKE_COUNT"]


def warmed(server):
    """The run of the network that a server begins with is over."""
    until(lambda: runs() > 0)
    server.get("/api/search?id=1")


def picture():
    """One that no other test has, so that its feature is not known."""
    global made
    made += 1
    return png(40 + made, 30, stripes(40 + made, 30))


def folder_of(path, n):
    os.makedirs(path)
    for i in range(n):
        with open(f"{path}/{i}.png", "wb") as f:
            f.write(picture())


def many():
    """A search by 32 pictures."""
    return form(*((f"p{i}", picture()) for i in range(32)))


def sent(server):
    """A connection that has sent such a search."""
    body, headers = many()
    s = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    head = f"POST /api/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    s.sendall((head + f"Content-Type: {headers['Content-Type']}\r\n\r\n").encode() + body)
    return s


def test_costs(s):
    for member, most in (("reciprocal", 100), ("expand", 100), ("views", 6)):
        for value, status in ((most, 200), (most + 1, 400)):
            answer = s.get(f"/api/search?id=1&{member}={value}")
            check(f"{member}={value}: {status}", answer[0] == status
                  and (status == 200 or f"from 1 to {most}" in answer[1]["error"]["message"]),
                  answer)
    for k, status in ((1000, 200), (1001, 400), (10000, 400)):
        answer = s.get(f"/api/search?id=1&reciprocal=20&k={k}")
        check(f"re-ranking and k={k}: {status}", answer[0] == status, answer)
    check("k=10000 without", s.get("/api/search?id=1&k=10000")[0] == 200)
    body = json.dumps({"inputs": [{"id": 1}], "reciprocal": 101}).encode()
    check("the same in JSON", error(s.ask("POST", "/api/search", body,
                                          {"Content-Type": "application/json"}), 400, "EINVAL"))
    as_json = {"Content-Type": "application/json"}
    for member, value in (("k", 3), ("under", "/a"), ("min_score", 0.5), ("whole", True)):
        body = json.dumps({"inputs": [{"id": 1}], member: value}).encode()
        twice = s.ask("POST", f"/api/search?{member}=1", body, as_json)
        check(f"{member} in the address and in the body", error(twice, 400, "EINVAL")
              and "given twice" in twice[1]["error"]["message"], twice)
    body = json.dumps({"inputs": [{"id": 1}], "id": 2, "keyword": ["a", "b"]}).encode()
    check("... an id and keywords may be in both", s.ask(
        "POST", "/api/search?id=3&keyword=c", body, as_json)[0] == 200)


def test_client_leaves():
    s = slow_server(ms=900)
    warmed(s)
    before = runs()
    c = sent(s)
    until(lambda: runs() > before)
    c.close()
    time.sleep(3.5)
    seen = runs()
    time.sleep(1.2)
    check("a search ends when its client has left", runs() == seen and seen < before + 8,
          f"{before} {seen} {runs()}")
    check("... and the server answers others", s.get("/api/search?id=1")[0] == 200)
    s.stop()


def test_end():
    """A search of 24 seconds is cancelled; one of three is answered."""
    if os.path.exists(COUNT):
        os.remove(COUNT)
    s = slow_server(ms=3000)
    warmed(s)
    folder_of(W + "/more4", 40)
    index = subprocess.Popen([COMMAND, "index", "--db", DB, W + "/more4"], env=ENV, text=True,
                             stderr=subprocess.PIPE)
    until(lambda: s.get("/api/health")[1]["index_runs"] == 1)
    long, photo = sent(s), picture()
    short = socket.create_connection(("127.0.0.1", s.port), timeout=60)
    short.sendall(b"POST /api/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
                  % len(photo) + photo)
    stuck = [socket.create_connection(("127.0.0.1", s.port)) for _ in range(3)]
    stuck[0].sendall(b"POST /api/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx")
    stuck[1].sendall(b"GET /api/pictures HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50)
    before = runs()
    until(lambda: runs() > before)
    start = time.time()
    status = s.stop()
    check("SIGTERM ends it in 20 s, with 0", status == 0 and time.time() - start < 20,
          f"{status} {time.time() - start:.1f}")
    first = lambda c: c.recv(65536).split(b"\r\n")[0]
    check("... a short search is answered", b" 200 " in first(short))
    said = first(long)
    check("... a long one is cancelled with 503", b" 503 " in said, said)
    for c in (long, short, *stuck):
        c.close()
    told = index.communicate(timeout=60)[1]
    check("... an index run through it has failed", index.returncode == 3
          and "the server was ended; what it had done is kept: run it again" in told,
          (index.returncode, told))


def test_connections():
    s = Server(DB)
    ask = b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    idle = [socket.create_connection(("127.0.0.1", s.port), timeout=20) for _ in range(128)]
    for c in idle:
        c.sendall(ask)
        c.recv(65536)
    check("with 128 idle connections a newcomer is answered", s.get("/api/health")[0] == 200)
    until(lambda: ended(idle[0]), 10)
    closed = [i for i, c in enumerate(idle) if ended(c)]
    check("... in place of the one that was idle for longest", closed == [0], closed)
    for c in idle:
        c.close()
    until(lambda: s.get("/api/health")[0] == 200)
    head = b"POST /api/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx"
    busy = [socket.create_connection(("127.0.0.1", s.port), timeout=20) for _ in range(128)]
    for c in busy:
        c.sendall(head)
    time.sleep(0.5)
    status, answer, headers = s.get("/api/health")
    check("with 128 at work it gets a 503", status == 503 and headers.get("Retry-After") == "1"
          and headers.get("Connection") == "close", (status, answer, headers))
    busy[0].close()
    check("... until one has gone", until(lambda: s.get("/api/health")[0] == 200))
    for c in busy:
        c.close()
    s.stop()


def ended(c):
    readable = select.select([c], [], [], 0)[0]
    try:
        return bool(readable) and c.recv(1, socket.MSG_PEEK) == b""
    except ConnectionError:
        return True


def hostile(s):
    """Requests of every kind of body that are refused."""
    as_json = {"Content-Type": "application/json"}
    search = lambda body, more: s.ask("POST", "/api/search", body, more)[0]
    bomb = png(60000, 60000)
    return [
        lambda: search(b'{"inputs": [' + b"{}," * 30000 + b"{}]}", as_json),
        lambda: search(b'{"ids": [' + b"1," * 200000 + b"1]}", as_json),
        lambda: search(b"[" * 500000, as_json),
        lambda: search(b'{"inputs": [{"vector": [' + b"1," * 20000 + b"1]}]}", as_json),
        lambda: search(*form(*((f"p{i}", bomb) for i in range(32)))),
        lambda: search(*form(*((f"p{i}", b"") for i in range(64)))),
        lambda: search(b"--XX\r\n" * 50000, {"Content-Type": "multipart/form-data; boundary=XX"}),
        lambda: search(bomb, {}),
        lambda: search(b"\x89PNG\r\n\x1a\n" + b"\xff" * 200000, {}),
        lambda: search((b"x" * 65536 for _ in range(8)), {}),
        lambda: search((b" " * 65536 for _ in range(18)), as_json),
        lambda: s.ask("POST", "/api/reject", b'{"a":' * 1000, as_json)[0],
        lambda: s.ask("GET", "/" + "a" * 100000, raw=True)[0],
    ]


def anonymous(process):
    with open(f"/proc/{process.pid}/status") as f:
        return int(next(line for line in f if line.startswith("RssAnon")).split()[1])


def test_hostile(s):
    """
    A thousand of them from eight clients leave little memory behind: what malloc keeps for reuse,
    less than a fifth of the 115 MB that a server has once it has loaded the default model.
    """
    kinds = hostile(s)
    before = anonymous(s.process)
    got = {ask() for ask in kinds}
    check("hostile requests are refused", got <= {400, 413, 414, 415, 422, 431}, got)

    def crowd(times):
        ask_all = lambda: [ask() for _ in range(times) for ask in kinds]
        threads = [threading.Thread(target=ask_all) for _ in range(8)]
        [t.start() for t in threads], [t.join() for t in threads]

    crowd(10)
    after = anonymous(s.process)
    check("... and leave little memory behind", sanitized() or after - before < 23 << 10,
          (before, after))


def local(body):
    """A connection to the unix socket, with an index run asked for."""
    c = http.client.HTTPConnection("localhost", timeout=60)
    c.sock = socket.socket(socket.AF_UNIX)
    c.sock.connect(DB + ".sock")
    c.request("POST", "/api/index", json.dumps(body))
    return c


def test_turns():
    """Index runs go one after the other; one whose client has left does not begin."""
    folders = []
    for i in range(3):
        folder_of(f"{W}/more{i}", 16)
        folders.append({"paths": [f"{W}/more{i}"]})
    s = slow_server(ms=400)
    warmed(s)
    before = runs()
    first = local(folders[0])
    answers = [first.getresponse()]
    until(lambda: runs() > before)
    gone, last = local(folders[1]), local(folders[2])
    answer = last.getresponse()
    line = json.loads(answer.readline())
    check("a second run waits", line.get("progress", {}).get("stage") == "waiting", line)
    gone.sock.close()
    lines = [json.loads(l) for l in answer.read().splitlines()]
    ends = [json.loads(l) for l in answers[0].read().splitlines()][-1:]
    check("... and runs when the first has ended", ends and "counts" in ends[0]
          and "counts" in lines[-1] and lines[-1]["counts"]["added"] > 0, (ends, lines[-1:]))
    check("one whose client has left does not", s.get(
        f"/api/pictures?under={W}/more1")[1]["total"] == 0)
    folder_of(f"{W}/more3", 16)
    waiting = [local({"paths": [f"{W}/more3"]}) for _ in range(10)]
    answers = [c.getresponse() for c in waiting]
    refused = [a for a in answers if a.status == 503]
    check("one at work and eight that wait are all", len(refused) == 1
          and refused[0].headers["Retry-After"], [a.status for a in answers])
    for a in answers:
        a.close()
    s.stop()


def test_map():
    """The last map is shown while another one is made; a sample has live pictures alone."""
    s = Server(DB)
    old = s.done("/api/map")[1]
    sample = {p["id"] for p in s.get("/api/sample?n=5&seed=1")[1]["pictures"]}
    for id in sample:
        check(f"picture {id} is removed", s.ask("DELETE", f"/api/pictures/{id}")[0] == 200)
    status, body, headers = s.get("/api/map")
    check("the last map while another one is made", status == 200 and body == old
          and float(headers["Imgsearch-Working"]) <= 1 and headers["Retry-After"], headers)
    new = s.done("/api/map")[1]
    check("... then that", {p[0] for p in new["points"]}
          == {p[0] for p in old["points"]} - sample, len(new["points"]))
    after = s.get("/api/sample?n=5&seed=1")[1]["pictures"]
    check("a sample has no removed picture", len(after) == 5
          and not sample & {p["id"] for p in after}, after)
    s.get("/api/map?refresh=1")
    check("it ends while one is made", s.stop() == 0)


def main():
    folder_of(PHOTOS, 40)
    run("index", "--db", DB, PHOTOS)
    s = Server(DB)
    test_costs(s)
    test_hostile(s)
    s.stop()
    test_client_leaves()
    test_connections()
    test_turns()
    test_map()
    test_end()


finish(main)
