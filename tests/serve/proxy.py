#!/usr/bin/env python3
"""The server behind nginx with TLS, by the configuration that docs/http.md shows."""
import getpass, grp, http.client, json, os, re, shutil, socket, ssl, subprocess, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import B, ENV, TOP, W, Server, check, finish, run, until

HOST = "photos.example"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def documented(port, server_port):
    """The configuration, with the ports and files of the test."""
    with open(f"{TOP}/docs/http.md") as f:
        text = re.search("```nginx\n(.*?)```", f.read(), re.S).group(1)
    for there, here in (("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
                        ("127.0.0.1:8080", f"127.0.0.1:{server_port}"),
                        ("/etc/ssl/photos.pem", f"{W}/photos.pem"),
                        ("/etc/ssl/photos.key", f"{W}/photos.key")):
        assert there in text, there
        text = text.replace(there, here)
    temporary = "".join(f"{kind}_temp_path {W}/nginx-{kind};"
                        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = f"user {getpass.getuser()} {grp.getgrgid(os.getgid()).gr_name};"
    return (f"{user} daemon off; pid {W}/nginx.pid; error_log {W}/nginx.err; events {{}} "
            f"http {{ access_log off; {temporary} {text} }}")


def ask(port, method, path, body=None, **headers):
    context = ssl.create_default_context(cafile=f"{W}/photos.pem")
    context.check_hostname = False
    c = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
    try:
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        c.request(method, path, body, {"Host": f"{HOST}:{port}", **headers})
        r = c.getresponse()
        return r.status, r.read(), dict(r.getheaders())
    finally:
        c.close()


def answers(port):
    try:
        return ask(port, "GET", "/api/health")[0] == 401
    except OSError:
        return False


def main():
    if not shutil.which("nginx") or not shutil.which("openssl"):
        print("1..0 # SKIP nginx or openssl is missing")
        sys.exit(0)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", f"/CN={HOST}", "-keyout", f"{W}/photos.key", "-out",
                    f"{W}/photos.pem"], check=True, capture_output=True)
    subprocess.run([B + "/tools/draw", W + "/pics", "1"], check=True, env=ENV)
    run("index", "--db", W + "/a.db", W + "/pics")
    port = free_port()
    own = f"https://{HOST}:{port}"
    s = Server(W + "/a.db", "--origin", own, token=True)
    with open(W + "/nginx.conf", "w") as f:
        f.write(documented(port, s.port))
    proxy = subprocess.Popen(["nginx", "-p", W, "-c", W + "/nginx.conf"],
                             stderr=subprocess.DEVNULL)
    try:
        check("the documented configuration runs", until(lambda: answers(port)),
              open(W + "/nginx.err").read() if os.path.exists(W + "/nginx.err") else "")
        token = open(W + "/state/imgsearch/token").read().strip()
        status, _, headers = ask(port, "GET", "/?token=" + token)
        cookie = headers.get("Set-Cookie", "")
        check("signing in sets a cookie for TLS", status == 303 and "; Secure" in cookie, cookie)
        page = {"Cookie": cookie.split(";")[0], "Origin": own, "Sec_Fetch_Site": "same-origin"}
        check("the page is there", b"<script" in ask(port, "GET", "/", **page)[1])
        photo = open(W + "/pics/" + sorted(os.listdir(W + "/pics"))[0], "rb").read()
        status, body, _ = ask(port, "POST", "/api/search?k=1", photo, **page)
        check("... and searches with a picture", status == 200
              and json.loads(body)["results"][0]["score"] > 0.99, body)
        # Without a body: a refusal before its end may reach the proxy as a broken connection.
        check("another page does not",
              ask(port, "GET", "/api/search?id=1", **{**page, "Origin": "https://x.org"})[0] == 403)
    finally:
        proxy.terminate()
        proxy.wait(20)
    check("ends with 0", s.stop() == 0)


finish(main)
