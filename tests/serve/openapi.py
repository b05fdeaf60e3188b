#!/usr/bin/python3
"""docs/openapi.json against the server's own table of paths, methods and parameters, both ways; and
answers of a server against its schemas' required members. tests/serve/conformance.py asks more."""

import json, os, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import TOP, W, Server, check, finish, png, routes, run, stripes


def described():
    with open(TOP + "/docs/openapi.json") as f:
        return json.load(f)


def resolved(doc, node):
    while "$ref" in node:
        at = doc
        for part in node["$ref"][2:].split("/"):
            at = at[part]
        node = at
    return node


def of_document(doc):
    """(path, method): names of its parameters, "*" behind those that may be repeated."""
    found = {}
    for path, item in doc["paths"].items():
        for method in ("get", "post", "delete", "put", "patch"):
            if method not in item:
                continue
            all = [resolved(doc, p) for p in item.get("parameters", []) + item[method].get(
                "parameters", [])]
            found[path, method.upper()] = {
                p["name"] + "*" * (p["schema"].get("type") == "array")
                for p in all if p["in"] == "query"
            }
    return found


def of_server():
    return {
        (path.replace("#", "{id}").replace("*", "{name}"), method): set(names)
        for path, method, names in routes()
    }


def refs(node):
    if isinstance(node, dict):
        for key, value in node.items():
            yield from [value] if key == "$ref" else refs(value)
    elif isinstance(node, list):
        for value in node:
            yield from refs(value)


def main():
    doc = described()
    ours, theirs = of_server(), of_document(doc)
    check("the table is read", len(ours) > 15, ours)
    check("the document has each path and method", not ours.keys() - theirs.keys(),
          ours.keys() - theirs.keys())
    check("... and no other", not theirs.keys() - ours.keys(), theirs.keys() - ours.keys())
    for key in sorted(ours.keys() & theirs.keys()):
        check(f"parameters of {' '.join(reversed(key))}", ours[key] == theirs[key],
              ours[key] ^ theirs[key])
    for ref in set(refs(doc)):
        try:
            resolved(doc, {"$ref": ref})
        except KeyError:
            check(ref, False, "it is not there")
    used = {ref.rsplit("/", 1)[1] for ref in refs(doc)}
    there = {name for kind in ("schemas", "responses", "parameters")
             for name in doc["components"][kind]}
    check("no component is unused", there == used, there ^ used)

    os.mkdir(W + "/pics")
    for i in range(4):
        with open(f"{W}/pics/{i}.png", "wb") as f:
            f.write(png(40 + i, 30, stripes(40 + i, 30)))
    run("index", "--db", W + "/a.db", W + "/pics")
    s = Server(W + "/a.db")
    for path, address in (("/api/search", "/api/search?id=1"), ("/api/pictures", "/api/pictures"),
                          ("/api/pictures/{id}", "/api/pictures/1"), ("/api/info", "/api/info"),
                          ("/api/sample", "/api/sample"), ("/api/health", "/api/health"),
                          ("/api/map", "/api/map"), ("/api/groups", "/api/groups")):
        status, body = s.done(address)
        answer = doc["paths"][path]["get"]["responses"][str(status)]
        schema = resolved(doc, answer["content"]["application/json"]["schema"])
        wanted = set(schema.get("required", []))
        check(f"members of {address}", wanted <= body.keys() <= schema["properties"].keys(),
              (wanted, set(body), set(schema["properties"])))
    s.stop()


finish(main)
