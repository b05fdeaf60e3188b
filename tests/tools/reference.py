#!/usr/bin/python3
"""The public headers as a page of HTML, and as libimgsearch(3).

    reference.py OUT.html | --man OUT.3

A section of a header becomes a section of the page. Each declaration stands with the comment above
it. A function also has what it returns, whether it reads or writes, the structs that it takes and
gives, and where an example calls it.
"""

import glob, html, os, re, sys

HEADERS = ["imgsearch.h", "imgsearch/eval.h", "imgsearch/train.h"]
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
DATE = "2026-12-01"  # of the last change of the man page
EVERY = ["ENOMEM", "EDB", "EIO"]  # what each function may return, by the rules

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --link: #0b6b5b; }
@media (prefers-color-scheme: dark) { :root { --link: #6fcfba; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; display: flex; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
nav { width: 17rem; flex: none; height: 100vh; overflow: auto; position: sticky; top: 0;
  padding: 1rem; box-sizing: border-box; border-right: 1px solid var(--line); font-size: 13px; }
nav h2 { font-size: 13px; margin: 1rem 0 .2rem; } nav a { display: block; overflow: hidden;
  text-overflow: ellipsis; }
main { max-width: 52rem; padding: 1rem 2rem 4rem; min-width: 0; }
pre { background: var(--soft); padding: .6rem .8rem; overflow: auto; font-size: 13.5px;
  tab-size: 4; border-radius: 4px; }
.entry { border-top: 1px solid var(--line); padding-top: .6rem; margin-top: 1.6rem; }
.entry h3 { margin: 0; font: 600 16px ui-monospace, monospace; }
dl { display: grid; grid-template-columns: max-content auto; gap: .1rem 1rem; font-size: 14px; }
dt { font-weight: 600; } dd { margin: 0; } details { font-size: 14px; }
@media (max-width: 50rem) { body { display: block; } nav { width: auto; height: auto;
  position: static; border: 0; columns: 2; } main { padding: 1rem; } }
"""


class Entry:
    """A comment and the declarations below it, without an empty line between them."""

    def __init__(self, comment, code):
        self.comment, self.code = comment, code
        plain = re.sub(r"/\*.*?\*/", " ", code, flags=re.S)
        self.functions = re.findall(r"IMGSEARCH_API [\w *]*?(imgsearch_\w+)\(", plain)
        self.types = re.findall(r"typedef (?:struct|enum) (imgsearch_?\w*)", plain)
        self.types += re.findall(r"\(\s*\*\s*(imgsearch_\w+_fn)\)", plain)
        self.names = self.functions or list(dict.fromkeys(self.types))


def sections(text):
    """(title, text) of each part of a header; the first one has no title."""
    parts = re.split(r"^/\* -{8,} (.+?) -{4} \*/$", text, flags=re.M)
    return [("", parts[0])] + list(zip(parts[1::2], parts[2::2]))


def comment_text(comment):
    lines = comment.strip()[2:-2].strip("\n").split("\n")
    return "\n".join(re.sub(r"^\s*\* ?", "", line) if line.strip() != "*" else "" for line in lines)


def entries(text):
    text = re.sub(r"^#(?:ifdef|ifndef|if|else|endif|include|undef).*\n", "", text, flags=re.M)
    found = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        comment = re.match(r"\s*(/\*.*?\*/)\s*(?=\S|$)", block, flags=re.S)
        starts = comment and not block[: comment.end()].rstrip("\n").count("\t/*")
        about = comment_text(comment.group(1)) if starts else ""
        code = block[comment.end():] if starts else block
        code = code.strip("\n")
        if "extern \"C\"" in code or code in ("}",):
            continue
        # A comment that stands alone goes with what follows it.
        if found and not found[-1].code and not about:
            found[-1] = Entry(found[-1].comment, code)
        elif code or about:
            found.append(Entry(about, code))
    return found


class Page:
    def __init__(self):
        self.headers = {name: read(f"include/{name}") for name in HEADERS}
        self.examples = {}
        for path in sorted(glob.glob(f"{TOP}/examples/*.c") + glob.glob(f"{TOP}/examples/*.cpp")):
            self.examples[os.path.basename(path)] = open(path, encoding="utf-8").read()
        self.parts = []
        for name, text in self.headers.items():
            for title, part in sections(text):
                title = title or {"imgsearch.h": "rules"}.get(name, name.split("/")[-1][:-2])
                self.parts.append((title, name, entries(part)))
        self.known = {n for _, _, found in self.parts for e in found for n in e.names}
        rules = self.headers["imgsearch.h"]
        self.writers = set(re.findall(r"imgsearch_\w+", re.search(
            r"The\n \*\s+writers are(.*?)\. One writer", rules, flags=re.S).group(1)))
        for word in re.findall(r"\b_(index_\w+)", rules):
            self.writers.add("imgsearch_" + word)

    def linked(self, text):
        """Escaped, with links to the types and functions that are named."""
        def link(match):
            name = match.group(0)
            return f'<a href="#{name}">{name}</a>' if name in self.known else name
        return re.sub(r"\bimgsearch(?:_\w+)?\b", link, html.escape(text, quote=False))

    def prose(self, comment):
        out = []
        for paragraph in re.split(r"\n\s*\n", comment):
            if re.search(r"^\t", paragraph, flags=re.M):
                out.append(f"<pre>{self.linked(paragraph)}</pre>")
            elif paragraph.strip():
                out.append(f"<p>{self.linked(paragraph)}</p>")
        return "\n".join(out)

    def rules(self, comment):
        """The comment at the top of the header: rules with a name and a hanging indent."""
        head, _, rest = comment.partition("Rules that hold everywhere\n")
        out = [self.prose(head), "<h3>Rules that hold everywhere</h3>\n<dl>"]
        for name, text in re.findall(r"^(\w[\w ]*?)\.  +(.*?)(?=^\w[\w ]*?\.  +|\Z)", rest,
                                     flags=re.M | re.S):
            out.append(f"<dt>{name}</dt><dd>{self.linked(re.sub(chr(10) + ' *', ' ', text))}</dd>")
        return "\n".join(out) + "\n</dl>"

    def errors(self, entry, declaration):
        if not re.search(r"\bint imgsearch_", declaration) or "imgsearch_error" not in declaration:
            return ""
        named = re.findall(r"\bE[A-Z]{2,}\b", entry.comment)
        more = ["ECANCELED", "EDEADLINE"] if "imgsearch_call" in declaration else []
        return ", ".join(dict.fromkeys(["EINVAL", *named, *more, *EVERY]))

    def threads(self, name):
        if name.endswith("_free") or not re.search(r"imgsearch \*s\b", self.declaration(name)):
            return "any"
        if any(name == w or name.startswith(w + "_") for w in self.writers) or name in self.writers:
            return "any; a writer: one at a time"
        return "any"

    def declaration(self, name):
        for text in self.headers.values():
            found = re.search(r"IMGSEARCH_API [^;]*?\b%s\([^;]*?\);" % name, text, flags=re.S)
            if found:
                return found.group(0)
        return ""

    def example(self, name):
        """(file, lines) of the shortest function of an example that calls it."""
        best = None
        for file, text in self.examples.items():
            for body in re.findall(r"^(?!static [^(]*;)\w[^\n;]*\n(?:\t[^\n]*\n)*\{\n.*?^\}$", text,
                                   flags=re.M | re.S):
                if re.search(rf"\b{name}\(", body) and (not best or len(body) < len(best[1])):
                    best = file, body
        return best

    def function(self, entry, name):
        declaration = self.declaration(name)
        rows = []
        types = [t for t in dict.fromkeys(re.findall(r"\bimgsearch_\w+\b", declaration))
                 if t in self.known and t != name]
        if types:
            rows.append(("Types", ", ".join(self.linked(t) for t in types)))
        errors = self.errors(entry, declaration)
        if errors:
            rows.append(("Errors", errors))
        rows.append(("Threads", self.threads(name)))
        out = [f'<h4 id="{name}">{name}</h4>', "<dl>"]
        out += [f"<dt>{k}</dt><dd>{v}</dd>" for k, v in rows]
        out.append("</dl>")
        example = None if name.endswith("_free") else self.example(name)
        if example:
            out.append(f"<details><summary>Example: examples/{example[0]}</summary>"
                       f"<pre>{self.linked(example[1])}</pre></details>")
        return "\n".join(out)

    def entry(self, e):
        types = [t for t in dict.fromkeys(e.types) if t not in e.functions]
        anchors = "".join(f'<a id="{t}"></a>' for t in types)
        out = [f'<div class="entry">{anchors}', self.prose(e.comment)]
        if e.code:
            out.append(f"<pre>{self.linked(e.code)}</pre>")
        out += [self.function(e, name) for name in e.functions]
        return "\n".join(out) + "</div>"

    def write(self, path):
        nav, body = [], []
        for title, header, found in self.parts:
            place = re.sub(r"\W+", "-", title)
            functions = [n for e in found for n in e.functions]
            if not found:
                continue
            nav.append(f'<h2><a href="#s-{place}">{title}</a></h2>')
            nav += [f'<a href="#{n}">{n.replace("imgsearch_", "", 1)}</a>' for n in functions]
            body.append(f'<section><h2 id="s-{place}">{title.capitalize()}</h2>')
            if header != "imgsearch.h":
                body.append(f"<p><code>#include &lt;{header}&gt;</code></p>")
            for e in found:
                body.append(self.rules(e.comment) + (f"<pre>{self.linked(e.code)}</pre>"
                            if e.code else "") if "Rules that hold" in e.comment
                            else self.entry(e))
            body.append("</section>")
        version = self.version()
        with open(path, "w", encoding="utf-8") as f:
            f.write("<!DOCTYPE html>\n<html lang=en><meta charset=utf-8>"
                    "<meta name=viewport content='width=device-width'>"
                    f"<title>libimgsearch {version}</title>\n<style>{STYLE}</style>\n"
                    f"<nav><b>libimgsearch {version}</b>{chr(10).join(nav)}</nav>\n"
                    f"<main><h1>libimgsearch</h1>\n{chr(10).join(body)}</main></html>\n")


    def man(self, path):
        """What there is, by section of the header: the header says the rest."""
        code = self.examples["quickstart.c"]
        quick = re.search(r"^\{\n(.*?)^\}", code, flags=re.M | re.S).group(1)
        out = [f'.TH LIBIMGSEARCH 3 "{DATE}" "imgsearch {self.version()}" "Library Functions"',
               ".SH NAME", "libimgsearch \\- index pictures, and find those most like a given one",
               ".SH SYNOPSIS", ".nf", "\\fB#include <imgsearch.h>\\fR",
               "\\fBcc prog.c $(pkg\\-config \\-\\-cflags \\-\\-libs imgsearch)\\fR", ".fi",
               ".SH DESCRIPTION",
               "The library of the command \\fBimgsearch\\fR(1).",
               "What each function does, who owns what, which errors there are and what",
               "threads may do is in the comments of \\fIimgsearch.h\\fR.", ".PP", ".RS", ".nf"]
        out += [roff(line.expandtabs(4)[4:]) for line in quick.rstrip("\n").split("\n")]
        out += [".fi", ".RE", ".SH FUNCTIONS"]
        for title, header, found in self.parts:
            functions = [n for e in found for n in e.functions]
            if functions:
                more = "" if header == "imgsearch.h" else f" (\\fI{header}\\fR)"
                out += [".TP", f"\\fB{title}\\fR{more}"]
                out += [n + ("," if n != functions[-1] else "") for n in functions]
        out += [".SH RETURN VALUE", "0, or a negative number of \\fIimgsearch_status\\fR:",
                "the same is then in the \\fIimgsearch_error\\fR, with a sentence.",
                ".SH SEE ALSO", "\\fBimgsearch\\fR(1)"]
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(out) + "\n")

    def version(self):
        found = re.findall(r"IMGSEARCH_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)",
                           self.headers["imgsearch.h"])
        return ".".join(found[:3])


def roff(line):
    line = line.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + line if line[:1] in (".", "'") else line


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


if __name__ == "__main__":
    if sys.argv[1] == "--man":
        Page().man(sys.argv[2])
    else:
        Page().write(sys.argv[1])
