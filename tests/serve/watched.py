#!/usr/bin/python3
"""What watches a server: health, metrics in Prometheus' text format, the access log; and sockets
that a service manager opened."""

import os, re, socket, subprocess, time

from common import B, COMMAND, ENV, W, Server, check, error, finish, run, servers, until

LINE = re.compile(r'^([a-z_]+)(\{([a-z]+="[^"\\]*",?)+\})? (-?[0-9.e+-]+)$')


def metrics(s, **more):
    status, text, headers = s.get("/metrics", raw=True, **more)
    check("metrics", status == 200 and headers["Content-Type"].startswith("text/plain; version="))
    lines = text.decode().splitlines()
    bad = [l for l in lines if not l.startswith(("# HELP ", "# TYPE ")) and not LINE.match(l)]
    check("... every line is one of the format", not bad and text.endswith(b"\n"), bad)
    check("... no sample comes twice",
          len({l.rsplit(" ", 1)[0] for l in lines}) == len(lines), lines)
    return {l.rsplit(" ", 1)[0]: float(l.rsplit(" ", 1)[1]) for l in lines if l[0] != "#"}


def test_health(s):
    status, h, _ = s.get("/api/health")
    check("health", status == 200 and h["status"] == "ok" and h["writable"] is True
          and h["index_runs"] == 0 and h["disk_free"] > 0, h)
    check("... the model is loaded, after a while",
          until(lambda: s.get("/api/health")[1]["model_loaded"]))


def test_metrics(s):
    total = lambda m, path, status, method="GET": m.get(
        f'imgsearch_requests_total{{path="{path}",method="{method}",status="{status}"}}', 0)
    for path in "/api/search?id=1", "/api/search?id=1&text=", "/api/pictures/1", "/nothing/<b>\"":
        s.get(path.replace("<b>\"", "%3cb%3e%22"), raw=True)
    m = metrics(s)
    check("requests by route and status", total(m, "/api/search", 200) == 1
          and total(m, "/api/search", 400) == 1 and total(m, "/api/pictures/{id}", 200) == 1
          and total(m, "other", 404, "") == 1, m)
    bucket = lambda le: m[f'imgsearch_request_duration_seconds_bucket{{path="/api/search",'
                          f'method="GET",le="{le}"}}']
    bounds = [bucket(le) for le in ("0.001", "0.01", "0.1", "1", "10", "+Inf")]
    check("... times as a histogram", bounds == sorted(bounds) and bounds[-1] == 2, bounds)
    check("... the index", m["imgsearch_index_vectors"] > 0 and m["imgsearch_index_open"] == 1
          and m["imgsearch_index_runs"] == 0 and m["imgsearch_searches_total"] == 1
          and m["process_resident_memory_bytes"] > 1e6, m)
    check("... not from other sites", error(
        s.get("/metrics", headers={"Sec-Fetch-Site": "cross-site"}), 403))
    check("an unknown parameter", error(s.get("/metrics?a=1"), 400))


def test_log(s, path):
    s.get("/api/search?text=secret&id=1", raw=True)
    s.get("/a%0ab%1b[1m", raw=True)
    lines = lambda: open(path).read().splitlines()
    until(lambda: len(lines()) > 2 and "\\n" in lines()[-1])
    text = "\n".join(lines())
    when = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    form = re.compile(when + r" (127\.0\.0\.1|unix) [A-Z]+ \d+ \d+\.\d{4} /")
    check("the log has lines", all(form.match(l) for l in lines()), text)
    check("... without what was asked", "secret" not in text and "?" not in text, text)
    check("... in which nothing is hidden", "/a\\nb\\x1b[1m" in text, text)
    check("... for its owner alone", os.stat(path).st_mode & 0o777 == 0o600)


def test_token(db):
    s = Server(db, "--access-log", "-", token=True)
    token = open(W + "/state/imgsearch/token").read().strip()
    check("metrics need the token", error(s.get("/metrics"), 401))
    metrics(s, headers={"Authorization": "Bearer " + token})
    s.get("/?token=" + token, raw=True)
    s.process.terminate()
    said = s.process.communicate(timeout=40)[1]
    check("the log on standard error, without the token",
          " GET 401 " in said and " GET 303 " in said and token not in said, said)


def start_with(sockets, *words):
    """The server as a service manager starts it: sockets from 3 on."""
    fds = [s.fileno() for s in sockets]

    def place():
        kept = [os.dup2(fd, 100 + i) for i, fd in enumerate(fds)]
        for i, fd in enumerate(kept):
            os.dup2(fd, 3 + i)

    p = subprocess.Popen(
        ["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", COMMAND, "serve", "--no-token", *words],
        env=dict(ENV, LISTEN_FDS=str(len(fds))), preexec_fn=place, close_fds=False,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    servers.append(p)
    return p


def ask(s):
    s.settimeout(30)
    s.sendall(b"GET /api/health HTTP/1.0\r\nHost: localhost\r\n\r\n")
    got = b""
    while more := s.recv(65536):
        got += more
    return got


def test_inherited(db):
    tcp, local = socket.socket(), socket.socket(socket.AF_UNIX)
    tcp.bind(("127.0.0.1", 0)), tcp.listen()
    local.bind(W + "/given.sock"), local.listen()
    early = socket.create_connection(tcp.getsockname())  # before there is a server
    p = start_with([tcp, local], "--db", db)
    check("sockets of a service manager: a client that came before", b" 200 OK" in ask(early))
    c = socket.socket(socket.AF_UNIX)
    c.connect(W + "/given.sock")
    check("... the unix socket", b" 200 OK" in ask(c))
    check("... its own address is told", p.stdout.readline().strip().endswith(
        ":%d/" % tcp.getsockname()[1]))
    check("... it makes none", not os.path.exists(db + ".sock"))
    p.terminate()
    check("... ends with 0", p.wait(40) == 0)
    check("... and leaves the socket there", os.path.exists(W + "/given.sock"))
    wide = socket.socket()
    wide.bind(("0.0.0.0", 0)), wide.listen()
    for what, given in (("one for others without a token", [wide]), ("two of a kind", [tcp, wide]),
                        ("a file", [open("/dev/null")])):
        p = start_with(given, "--db", db)
        said = p.communicate(timeout=40)[1]
        check(f"... {what} is refused", p.returncode == 3 and "LISTEN_FDS" in said, said)


def test_rotation(s, path):
    """As logrotate does it."""
    os.rename(path, path + ".1")
    until(lambda: s.get("/api/health") and os.path.exists(path))
    before = os.path.getsize(path + ".1")
    s.get("/api/sample?n=3")
    check("a log that was renamed is made again",
          until(lambda: "/api/sample" in open(path).read()))
    check("... and the old one stays as it was", os.path.getsize(path + ".1") == before)


def main():
    db = W + "/a.db"
    subprocess.run([B + "/tools/draw", W + "/pics", "1"], check=True, env=ENV)
    run("index", "--db", db, W + "/pics")
    s = Server(db, "--access-log", W + "/log")
    test_health(s)
    test_metrics(s)
    test_log(s, W + "/log")
    test_rotation(s, W + "/log")
    check("ends with 0", s.stop() == 0)
    check("a log that cannot be written", run(
        "serve", "--db", db, "--port", "0", "--access-log", W + "/no/log").returncode == 3)
    s = Server(db, "--read-only")
    check("read-only is told", s.get("/api/health")[1]["writable"] is False)
    os.rename(db, W + "/away.db")
    status, h, _ = s.get("/api/health")
    check("an index that is gone: 503", status == 503 and h["status"] == "unready" and h["reason"],
          h)
    os.rename(W + "/away.db", db)
    check("... back again", until(lambda: s.get("/api/health")[0] == 200) and s.stop() == 0)
    test_token(db)
    test_inherited(db)


finish(main)
