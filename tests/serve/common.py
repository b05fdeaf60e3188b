"""What the tests of the server share: a server, requests, pictures, TAP."""

import http.client, json, os, re, shutil, signal, socket, struct, subprocess
import sys, tempfile, time, zlib

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
B = os.environ.get("B", TOP + "/build")
COMMAND = B + "/imgsearch"
W = os.path.realpath(tempfile.mkdtemp())
ENV = dict(
    os.environ,
    IMGSEARCH_LIBDIR=B + "/tests/lib",
    HOME=W,
    XDG_RUNTIME_DIR=W,
    XDG_CACHE_HOME=W + "/cache",
    XDG_STATE_HOME=W + "/state",
    LC_ALL="C",
    TERM="dumb",
)
ENV.pop("IMGSEARCH_DB", None)
count = failed = 0
servers = []


def check(name, ok, why=""):
    global count, failed
    count += 1
    failed += not ok
    print(("ok" if ok else "not ok"), count, "-", name)
    if not ok:
        print("#", str(why)[:900].replace("\n", "\n# "))
    sys.stdout.flush()


def routes():
    """(path, method, parameters) of the server's own table; "*" ends those that may be repeated."""
    with open(TOP + "/cli/serve/routes.c") as f:
        source = f.read()
    macros = dict(re.findall(r'#define (FILTER) "(.*?)"', source))
    text = re.search(r"#define SEARCH(.*?)FILTER\n", source, re.S).group(1)
    macros["SEARCH"] = "".join(re.findall(r'"(.*?)"', text)) + macros["FILTER"]
    found = []
    for path, method, parameters in re.findall(
            r'\{ "(/[^"]*)", "(\w+)", (.*?), handle_\w+, \w+ \}', source, re.S):
        words = re.findall(r'"(.*?)"|(FILTER|SEARCH)', parameters)
        names = "".join(macros[macro] if macro else text for text, macro in words)
        found.append((path, method, names.split()))
    return found


def sanitized():
    """Whether the programs are: then freed memory is kept."""
    with open(B + "/flags") as f:
        return "-fsanitize" in f.read()


def run(*args, **more):
    return subprocess.run(
        [COMMAND, *args],
        env=ENV,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        **more,
    )


def until(ready, seconds=60):
    """Polls until it is so; whether it came to be."""
    end = time.time() + seconds
    while time.time() < end:
        if ready():
            return True
        time.sleep(0.01)
    return False


class Server:
    """token: requests need one; the tests of other things leave it out."""

    def __init__(self, db, *options, wait=True, token=False):
        more = [] if token else ["--no-token"]
        self.process = subprocess.Popen(
            [COMMAND, "serve", "--db", db, "--port", "0", *more, *options],
            env=ENV,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        servers.append(self.process)
        line = self.process.stdout.readline() if wait else ""
        self.port = int(line.rstrip("/\n").rsplit(":", 1)[1]) if line else 0

    def ask(self, method, path, body=None, headers=None, raw=False):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            c.request(method, path, body, headers or {})
            r = c.getresponse()
            data = r.read()
        finally:
            c.close()
        return r.status, (data if raw else json.loads(data)), dict(r.getheaders())

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def done(self, path):
        """What is computed in the background, when it is there."""
        answer = [self.get(path)]
        works = lambda: answer[0][0] == 202 or "Imgsearch-Working" in answer[0][2]

        def ready():
            if works():
                answer[0] = self.get(path.replace("?refresh=1&", "?").replace("?refresh=1", ""))
            return not works()

        until(ready)
        return answer[0][:2]

    def alive(self):
        return self.process.poll() is None and self.get("/api/health")[0] == 200

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "still running"


def form(*parts):
    text = b"".join(
        b'--XX\r\nContent-Disposition: form-data; name="%s"; filename="x"\r\n'
        b'Content-Type: image/jpeg\r\n\r\n%s\r\n' % (n.encode(), d)
        for n, d in parts
    )
    return text + b"--XX--\r\n", {"Content-Type": "multipart/form-data; boundary=XX"}


def png(width, height, rows=None):
    number = lambda n: struct.pack(">I", n)
    chunk = lambda kind, data: number(len(data)) + kind + data + number(zlib.crc32(kind + data))
    data = zlib.compress(rows if rows is not None else b"")
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", data)
        + chunk(b"IEND", b"")
    )


def stripes(width, height):
    return b"".join(
        b"\0" + bytes((x * 7 + y * y * 3 + c * 40) & 255 for x in range(width) for c in range(3))
        for y in range(height)
    )


def raw(server, data, shut=False, wait=3.0):
    """Bytes as they are; what comes back."""
    s = socket.create_connection(("127.0.0.1", server.port), timeout=wait)
    got = b""
    try:
        s.sendall(data)
        if shut:
            s.shutdown(socket.SHUT_WR)
        while True:
            more = s.recv(65536)
            if not more:
                break
            got += more
    except OSError:
        pass
    s.close()
    return got


def error(answer, status, code=None):
    return (
        answer[0] == status
        and "message" in answer[1].get("error", {})
        and (code is None or answer[1]["error"]["code"] == code)
    )


def finish(main):
    """Runs the tests of a script, and ends it."""
    try:
        main()
        print(f"1..{count}")
        sys.exit(failed > 0)
    finally:
        for process in servers:  # what a failure left running
            process.kill()
        subprocess.run(["chmod", "-R", "u+rwX", W])
        shutil.rmtree(W, ignore_errors=True)
