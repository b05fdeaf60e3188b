"""make test-openapi: schemathesis against a running server, by docs/openapi.json.

    conformance.py SCHEMATHESIS SECONDS

SCHEMATHESIS is the program, of a virtual environment of the caller's (PyPI: schemathesis). Every
check that it has is made. Status codes with which a right request may be refused are those of the
document: what a picture or a condition is, no schema can say.
"""

import os, subprocess, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import ENV, TOP, W, Server, png, run, stripes

TOKEN = "0123456789abcdef0123"
CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 304, 400, 403, 404, 409, 410, 413, 415, 422, 503]

[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "409", "410", "413", "415", "422"]

# A picture that was deleted is kept out: it stays at its address, with that state, until it is
# readmitted or forgotten.
[checks.use_after_free]
enabled = false

[auth.openapi.token]
bearer = "%s"
"""


def main():
    program, seconds = sys.argv[1:]
    os.makedirs(W + "/pics"), os.makedirs(W + "/uploads")
    for i in range(30):
        with open(f"{W}/pics/{i}.png", "wb") as f:
            f.write(png(40 + i, 30, stripes(40 + i, 30)))
    run("index", "--db", W + "/a.db", W + "/pics")
    run("build", "--db", W + "/a.db")
    with open(W + "/token", "w") as f:
        f.write(TOKEN + "\n")
    with open(W + "/schemathesis.toml", "w") as f:
        f.write(CONFIG % TOKEN)
    s = Server(W + "/a.db", "--uploads", W + "/uploads", "--token-file", W + "/token", token=True)
    done = subprocess.run(
        [program, "--config-file", W + "/schemathesis.toml", "run", TOP + "/docs/openapi.json",
         "--url", f"http://127.0.0.1:{s.port}", "--checks", "all", "--max-time", seconds,
         "--exclude-path", "/api/index", "--continue-on-failure"],
        cwd=W, env={**os.environ, "HOME": W},
    )
    print("the server ended with", s.stop())
    whole = run("check", "--db", W + "/a.db").returncode
    print("check of the index:", whole)
    sys.exit(done.returncode or whole)


main()
