"""Quoted-printable pieces: they concatenate, and every decoder reads them."""

import quopri
import re
import shutil
import subprocess
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.content import qp
from tests.content.corpora import EXAMPLES, HOSTILE
from tests.content.samples import NOW, compiled, farida, html_of, mockup

TEXTS = st.lists(st.one_of(st.text(max_size=200), st.sampled_from(HOSTILE)), max_size=4)


@settings(max_examples=10 * EXAMPLES, deadline=None)
@given(TEXTS)
def test_pieces_concatenate(texts: list[str]):
    joined = b"".join(qp.piece(t) if n % 2 else qp.value(t) for n, t in enumerate(texts))
    expected = "".join(texts).replace("\r\n", "\n").replace("\r", "\n")

    if not any(text.endswith("\r") for text in texts):  # its LF may begin the next
        decoded = quopri.decodestring(joined).replace(b"\r\n", b"\n")
        assert decoded == expected.encode("utf-8", "replace")
    for line in joined.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))


def test_what_is_plain_is_written_as_it_is():
    assert qp.value("Farida") == b"Farida=\r\n"
    assert qp.value("a=b") == b"a=3Db=\r\n"
    assert qp.value(".a") == b"=2Ea=\r\n"
    assert qp.value("From me") == b"=46rom me=\r\n"
    assert qp.value("a ") == qp.piece("a ") == b"a =\r\n"
    assert qp.piece("a \nb") == b"a=20\r\nb=\r\n"
    assert qp.piece("") == b""


def by_the_book(body: bytes) -> bytes:
    """Decode as RFC 2045 6.7 says, in three lines of our own."""
    lines = [re.sub(rb"[ \t]+(?=\r\n|\Z)", b"", line) for line in body.splitlines(keepends=True)]
    joined = re.sub(rb"=\r\n", b"", b"".join(lines))
    return re.sub(rb"=([0-9A-F]{2})", lambda found: bytes([int(found[1], 16)]), joined)


def test_other_decoders_read_the_same(tmp_path: Path):
    wire = compiled(mockup()).fill(farida(), "en", NOW)
    body = wire.split(b"quoted-printable\r\n\r\n")[2].rpartition(b"\r\n--")[0]
    decoders = {"ours": by_the_book(body), "quopri": quopri.decodestring(body)}
    if perl := shutil.which("perl"):  # where it has MIME::QuotedPrint
        (tmp_path / "body").write_bytes(body)
        script = "print decode_qp($_)"
        command = [perl, "-MMIME::QuotedPrint", "-0777", "-ne", script, str(tmp_path / "body")]
        ran = subprocess.run(command, capture_output=True, check=False)
        if ran.returncode == 0:
            decoders["perl"] = ran.stdout
    print("decoders:", ", ".join(decoders))
    for name, decoded in decoders.items():
        assert decoded.replace(b"\r\n", b"\n").decode() == html_of(wire), name
