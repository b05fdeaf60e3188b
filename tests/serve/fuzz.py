#!/usr/bin/python3
"""Requests of every kind to a server, good ones and damaged ones, the same each time: FUZZ=N of
them (1500), SEED=S. It answers or hangs up, never by a 5xx but 503, lives, ends with 0, and leaves
the index whole. make fuzz-server runs it under sanitizers."""

import json, os, random, re, socket, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import W, Server, check, finish, png, routes, run, stripes

PHOTOS, DB = W + "/pics", W + "/a.db"
MANY = int(os.environ.get("FUZZ", 1500))
rng = random.Random(int(os.environ.get("SEED", 1)))

NUMBERS = ["0", "1", "2", "7", "-1", "10", "1000", "10001", "4294967296", "9223372036854775807",
           "99999999999999999999", "0x10", "1e3", "1e999", "nan", "inf", "", " 1", "1 ", "0.5",
           "+1"]
TEXTS = ["", "a", "/", "..", "../../etc/passwd", "%00", "%ff%fe", "%C3%A4", "x" * 3000, "red car",
         "2020", "2020-13", "48.1,11.5", "48.1,11.5,10km", "rating > 2", "rating >", "((((", "'",
         '"', ";--", "exact", "graph", "path", "date", "all", "deleted", "0,0,10,10", "-1,0,5,5"]
WORDS = ["id", "vector", "held", "part", "text", "weight", "crop", "inputs", "ids", "k", "keyword",
         "near", "a", "b", "paths", "where", "no_self"]


def value():
    return rng.choice(rng.choice((NUMBERS, TEXTS)))


def quoted(text):
    return "".join(c if c.isalnum() or c in "%.,-/" else f"%{ord(c):02x}" for c in text)


def tree(depth=0):
    """Some JSON."""
    kind = rng.randrange(8 if depth < 4 else 5)
    if kind == 0:
        return rng.choice([0, 1, 5, -1, 2**31, 2**63 - 1, -(2**63), 1.5, 1e300])
    if kind == 1:
        return value()
    if kind in (2, 3):
        return rng.choice([True, False, None])
    if kind == 4:
        return rng.randrange(50)
    if kind == 5:
        return [tree(depth + 1) for _ in range(rng.randrange(5))]
    return {rng.choice(WORDS): tree(depth + 1) for _ in range(rng.randrange(6))}


def search():
    """JSON that is nearly a search."""
    inputs = [
        rng.choice([{"id": rng.randrange(30)}, {"text": value()}, {"vector": [0.5] * 48},
                    {"vector": [tree(4)] * rng.randrange(50)}, {"held": "00ff"}, {"part": "a"}])
        for _ in range(rng.randrange(1, 4))
    ]
    if rng.random() < 0.3:
        inputs[0][rng.choice(("weight", "crop"))] = tree(2)
    more = {rng.choice(WORDS): tree(2)} if rng.random() < 0.3 else {}
    return {"inputs": inputs, **more}


def picture():
    width = 30 + rng.randrange(40)
    data = bytearray(png(width, 20, stripes(width, 20)))
    for _ in range(rng.choice((0, 0, 1, 20))):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data[: rng.choice((len(data), len(data), rng.randrange(len(data))))])


def multipart():
    parts = []
    for _ in range(rng.randrange(5)):
        name = rng.choice(("a", "query", "", "x" * 300, 'q"'))
        data = picture() if rng.random() < 0.5 else json.dumps(search()).encode()
        parts.append(b'--XX\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (
            name.encode(), rng.choice((b"", b'; filename="../x"', b"; filename")), data))
    return b"".join(parts) + rng.choice((b"--XX--\r\n", b"--XX", b""))


def body():
    """Headers and bytes."""
    kind = rng.randrange(6)
    if kind == 0:
        return [], b""
    if kind == 1:
        kinds = "Content-Type: image/png", "Content-Type: text/html", "X: y"
        return [rng.choice(kinds)], picture()
    if kind == 2:
        return ["Content-Type: application/json"], json.dumps(tree()).encode()
    if kind == 3:
        return ["Content-Type: application/json"], json.dumps(search()).encode()
    if kind == 4:
        boundary = rng.choice(("; boundary=XX", "", "; boundary=", '; boundary="XX"'))
        return ["Content-Type: multipart/form-data" + boundary], multipart()
    return ["Content-Type: application/json"], bytes(rng.randrange(256) for _ in range(200))


def request(table):
    path, method, names = rng.choice(table)
    path = path.replace("#", str(rng.randrange(60))).replace("*", "0f0f")
    if rng.random() < 0.1:
        path = rng.choice((path + "/", path.upper(), "/" + value(), "//" + path, path + "%2e%2e"))
    if rng.random() < 0.15:
        others = "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "X"
        method = rng.choice(others)
    names = rng.sample(names, min(len(names), rng.choice((0, 0, 1, 2)))) or names[:1]
    some = lambda: rng.randrange(1, 30) if rng.random() < 0.7 else quoted(value())
    asked = [] if rng.random() < 0.2 else [f"{name}={some()}" for name in names]
    if rng.random() < 0.05:
        asked.append(quoted(value()))
    headers, data = body() if method in ("POST", "PUT") or rng.random() < 0.1 else ([], b"")
    length = [f"Content-Length: {len(data)}"] if data or rng.random() < 0.5 else []
    if data and rng.random() < 0.1:
        length = ["Transfer-Encoding: chunked"]
        data = b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)
    if rng.random() < 0.05:
        headers.append(rng.choice(("Host: x", "Content-Length: 5", "Transfer-Encoding: gzip",
                                   "Cookie: " + "a" * 5000, "Origin: http://evil",
                                   "If-None-Match: *",
                                   "Range: bytes=0-1", "Expect: 100-continue")))
    line = f"{method} {quoted(path)}{'?' if asked else ''}{'&'.join(asked)} HTTP/1.1"
    head = "\r\n".join([line, "Host: localhost", *length, *headers, "Connection: close", "", ""])
    whole = head.encode() + data
    return (damaged(whole), True) if rng.random() < 0.15 else (whole, False)


def damaged(data):
    """With other bytes, or cut."""
    data = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data[: rng.randrange(len(data))] if rng.random() < 0.3 else data)


def ask(server, data, leaves):
    """The status; 0: it hung up. leaves: the client sends no more."""
    got = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as s:
        try:
            s.sendall(data)
            if leaves:
                s.shutdown(socket.SHUT_WR)
            while more := s.recv(65536):
                got += more
        except (ConnectionError, socket.timeout):
            pass
    found = re.match(rb"HTTP/1\.1 (\d+)", got)
    return int(found.group(1)) if found else 0


def main():
    os.makedirs(PHOTOS), os.makedirs(W + "/uploads")
    for i in range(30):
        with open(f"{PHOTOS}/{i}.png", "wb") as f:
            f.write(png(40 + i, 30, stripes(40 + i, 30)))
    run("index", "--db", DB, PHOTOS)
    run("build", "--db", DB)
    table = [(p, m, [n.rstrip("*") for n in names]) for p, m, names in routes()
             if p != "/api/index"]
    check("the server's table is read",
          len(table) > 12 and any(len(r[2]) > 20 for r in table), table)
    s = Server(DB, "--uploads", W + "/uploads")
    seen, wrong = {}, []
    for i in range(MANY):
        data, leaves = request(table)
        status = ask(s, data, leaves)
        seen[status] = seen.get(status, 0) + 1
        if status >= 500 and status not in (503, 505):  # 505: libmicrohttpd knows HTTP/1
            wrong.append((status, data[:300]))
        if s.process.poll() is not None:
            check("the server lives", False, (data, s.process.stderr.read()))
            return
    print("#", *(f"{status}: {n}," for status, n in sorted(seen.items())))
    check(f"no answer of {MANY} is an error of the server", not wrong, wrong[:5])
    check("some are right, some are refused", seen.get(200, 0) > MANY / 20
          and seen.get(400, 0) > MANY / 20, seen)
    check("it still answers", s.get("/api/search?id=1")[0] in (200, 404))
    done = s.stop(), s.process.stderr.read()
    check("it ends with 0", done[0] == 0, done)
    p = run("check", "--db", DB)
    check("the index is whole", p.returncode == 0, p.stdout + p.stderr)


finish(main)
