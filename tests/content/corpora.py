"""Hostile text: ours, always, and what others collected, where it lies beside the tree."""

import json
import os
from pathlib import Path
from xml.etree import ElementTree as ET

# More of each kind: EXAMPLES=1000 pytest tests/content
EXAMPLES = int(os.environ.get("EXAMPLES", "50"))

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"

OURS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<svg/onload=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/pixel.png)",
    "<https://evil.example/>",
    "a\r\nBcc: evil@example.com",
    "a\nTo: evil@example.com\n\nbody",
    "=?utf-8?q?x=0D=0ABcc:_a@evil.example?=",
    "=?utf-8?b?eA0KQmNjOiBhQGV2aWwuZXhhbXBsZQ==?=",
    "Ada, evil@attacker.example " + "x" * 70,
    "\u202eevil\u202c",
    "\u2066x",
    "x\u2028y\u2029z",
    "{{ 7*7 }}",
    "{{ ''.__class__ }}",
    "{% raw %}",
    "${7*7}",
    "#{7*7}",
    "-->",
    "]]>",
    "<![endif]-->",
    "<!--[if mso]><script>1</script><![endif]-->",
    "&lt;",
    "&amp;",
    "%s%n",
    "%(name)s",
    "\0",
    "\x1b[31m",
    "é" * 30,
    "👩‍👩‍👧",
    "فريدة",
    "Ṱ̺̺̕o͞ ̷i̲̬͇̪͙n̝̗͕v̟̜̘̦͟o̶̙̰̠kè",
    "a" * 10_000,
    "\ud800",
    ".",
    "..",
    "From here",
    "--",
    "=",
    "= ",
    " ",
    "'",
    "\\",
    "rc00000000s0000z",
    "http://evil.example/x",
    "//evil.example",
    "https:/\\evil.example",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
]


def corpus(*names: str) -> list[str]:
    lines: list[str] = []
    for name in names:
        path = CORPORA / name
        if path.exists():
            text = path.read_text("utf-8", "replace")
            lines += json.loads(text) if path.suffix == ".json" else text.splitlines()
    return [line for line in lines if line]


HOSTILE = OURS + corpus(
    "strings/blns.json",
    "injection/crlf.txt",
    "injection/IntrudersXSS.txt",
    "injection/RSNAKE_XSS.txt",
    "injection/XSS_Polyglots.txt",
    "injection/ssti.fuzz",
    "injection/open-redirect.txt",
)


def odd_addresses() -> list[str]:
    found = [
        "=?utf-8?q?a?=@example.org",
        "a@bücher.example",
        "żaneta@good.example",
        "a b@example.org",
        '"a b"@example.org',
        "a@[127.0.0.1]",
        "a@b",
        "a@-b.example",
        "a@b-.example",
        "a..b@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "a" * 65 + "@example.org",
        "a@" + "b" * 64 + ".example",
        "@example.org",
        "a@",
        "a",
        "",
        "o'hara+news=1@example.org",
    ]
    for name in ("isemail-tests.xml", "isemail-tests-original.xml"):
        path = CORPORA / "addresses" / name
        if path.exists():
            found += [case.findtext("address") or "" for case in ET.parse(path).iter("test")]
    return [*found, *(f"{h}@example.org" for h in HOSTILE), *(f"a@{h}" for h in HOSTILE)]
