"""Files to located data: what is accepted, what is refused, and where messages point."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rxcalc.diagnostics.model import Sink
from rxcalc.rulebook.document import Document, Mapping, Node, Scalar, Sequence
from rxcalc.rulebook.load import MAX_BYTES, load_document, load_text, load_yaml, load_yaml_text

HEAD = "rxcalc: 1\n"


def codes(sink: Sink) -> list[str]:
    """The codes reported, in order."""
    return [diagnostic.code for diagnostic in sink.sorted()]


def read(text: str) -> tuple[Document | None, Sink]:
    """A document from text, and what was reported."""
    sink = Sink()
    return load_text("f.yaml", text, sink), sink


def scalar(text: str, key: str = "rule") -> tuple[Scalar, str]:
    """The scalar under a key, and the text of its file."""
    document, sink = read(HEAD + text)
    assert document is not None
    assert not list(sink)
    node = document.root.get(key)
    assert isinstance(node, Scalar)
    return node, document.file.text


@pytest.mark.parametrize(
    "text",
    [
        "rule: min(a + b)\n",
        "rule: 'it''s b'\n",
        'rule: "x\\t\\"y\\" \\u4e2d b"\n',
        "rule: |\n  when a\n\n    then b\n  otherwise c\n",
        "rule: |2\n     indented\n   b\n",
        "rule: |-\n\n  中文 a\n  b",
        "rule: |\r\n  a\r\n  b\r\n",
    ],
)
def test_every_character_of_a_scalar_maps_to_its_place(text: str) -> None:
    """Embedded text points at the same characters in the file, escapes aside."""
    node, source = scalar(text)
    assert node.embedded is not None
    assert node.embedded.text == node.text
    for at, char in enumerate(node.text):
        span = node.embedded.span(at, at + 1)
        found = source[span.start : span.end]
        assert found == char or source[span.start] in "\\\r" or (char == "\n" and span.end >= len(source)), (at, char)


def test_folded_text_has_no_map() -> None:
    """`>` and wrapped scalars are kept, without a way back to the file."""
    for text in ("rule: >\n  a\n  b\n", "rule: a\n  b\n", 'rule: "a\n  b"\n'):
        node, _ = scalar(text)
        assert (node.style, node.embedded) == ("folded", None)


def test_scalars_are_kept_as_written() -> None:
    """Nothing is interpreted: no flags, floats or sexagesimals."""
    for written in ("no", "12:30", "0.050", "1e3", "2025-01-01", "~"):
        assert scalar(f"rule: {written}\n")[0].text == written


@pytest.mark.parametrize(
    ("text", "code", "help_holds"),
    [
        ("a: {rule: min(a, b), x: 1}", "RX110", '"min(a, b)"'),
        ("a: {rule: p[k] + 1, x: 1}", "RX110", '"p[k] + 1"'),
        ('a: {rule: f(x, "q")}', "RX110", "'f(x, \"q\")'"),
        ("a: {that: x in {a, b}, say: q}", "RX110", '"x in {a, b}"'),
        ("a: [p[k], c]", "RX110", '"p[k]"'),
        ("a: [min(a, max(b, c)), d]", "RX110", '"min(a, max(b, c))"'),
        ('a: "x', "RX108", "add"),
        ("a:\n\tb: 1", "RX107", "spaces"),
        ("a: foo: bar", "RX109", "block"),
        ('rule: "a" = b', "RX109", "block"),
        ("rule: [a, b] in c", "RX109", "block"),
        ("rule: - x", "RX109", "block"),
        ("a: 1\na: 2", "RX111", "one"),
        ("a: !!int 1", "RX112", "tag"),
        ("a: &x 1", "RX113", "value"),
        ("a: *x", "RX113", "value"),
        ("a: {<<: {b: 1}}", "RX114", "keys"),
        ("---\na: 1\n---\nb: 2", "RX115", "---"),
        ("? [a]\n: 1", "RX117", "quote"),
        ("a: " + "[" * 100, "RX118", "flatten"),
        ("a: " + "{a: " * 100_000, "RX118", "flatten"),
        ('a: "\\u202e"', "RX119", "remove"),
        ("a: \x01", "RX119", "remove"),
        ("a: {b: 1", "RX106", "close"),
        ('a: "\\q"', "RX106", "backslash"),
    ],
)
def test_refusals_say_what_to_do(text: str, code: str, help_holds: str) -> None:
    """Each thing that YAML allows or misreads has its own code and advice."""
    _, sink = read(HEAD + text)
    assert codes(sink) == [code]
    assert help_holds in " ".join(next(iter(sink)).help)


def test_a_cut_rule_is_mended() -> None:
    """After RX110 the whole rule is kept, so that no second message follows."""
    document, _ = read(HEAD + "a: {rule: min(a, max(b, c)), note: x}")
    assert document is not None
    of = document.root.get("a")
    assert isinstance(of, Mapping)
    assert [entry.key.text for entry in of.entries] == ["rule", "note"]
    rule = of.get("rule")
    assert isinstance(rule, Scalar)
    assert rule.text == "min(a, max(b, c))"


def test_duplicate_points_at_both_places() -> None:
    """The second key is the error, the first the related place."""
    _, sink = read(HEAD + "a: 1\nb: 2\na: 3\n")
    found = next(iter(sink))
    assert found.primary.span.start > found.related[0].span.start


@pytest.mark.parametrize("text", ["root:x:0:0\n", "a: {rxcalcs: 1}\n", "", "\x00"])
def test_without_rxcalc_nothing_is_quoted(text: str) -> None:
    """A file that is no rulebook is refused and hidden."""
    document, sink = read(text)
    assert document is None
    assert codes(sink) == ["RX120"]
    assert sink.files["f.yaml"].hidden


def test_a_nested_rxcalc_is_not_enough() -> None:
    """`rxcalc:` counts at the top level only."""
    document, sink = read("a:\n  rxcalc: 1\n")
    assert document is None
    assert codes(sink) == ["RX120"]
    assert sink.files["f.yaml"].hidden


def test_paths(tmp_path: Path) -> None:
    """Missing files, folders, pipes, links that lead out, wrong encodings and giants are told apart."""
    root = tmp_path / "book"
    root.mkdir()
    outer = tmp_path / "outer.yaml"
    outer.write_text(HEAD)
    (root / "link.yaml").symlink_to(outer)
    (root / "latin.yaml").write_bytes(HEAD.encode() + b"a: \xe9\n")
    (root / "bom.yaml").write_bytes(b"\xef\xbb\xbf" + HEAD.encode())
    (root / "loop.yaml").symlink_to(root / "loop.yaml")
    with (root / "big.yaml").open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    os.mkfifo(root / "pipe.yaml")
    wanted = {
        "none.yaml": ["RX101"],
        "loop.yaml": ["RX101"],
        "a\0b": ["RX101"],
        ".": ["RX102"],
        "pipe.yaml": ["RX102"],
        "link.yaml": ["RX103"],
        "latin.yaml": ["RX104"],
        "big.yaml": ["RX105"],
        "bom.yaml": [],
    }
    for name, expected in wanted.items():
        sink = Sink()
        load_document(root / name, name, sink, root=root)
        assert codes(sink) == expected, name


def test_json_is_yaml(tmp_path: Path) -> None:
    """Typical JSON episodes load, tabs between tokens and escaped slashes included."""
    path = tmp_path / "e.json"
    path.write_text(
        '{"episode": {"total":189085.85,\n  "level": "\\u4e09", "ok":true, "x":null,\n  "lines":[{"a":1},[]]}}'
    )
    sink = Sink()
    node = load_yaml(path, "e.json", sink)
    assert not list(sink)
    assert isinstance(node, Mapping)
    episode = node.get("episode")
    assert isinstance(episode, Mapping)
    assert isinstance(level := episode.get("level"), Scalar)
    assert level.text == "三"


def test_examples_are_sequences() -> None:
    """A file that need not be a rulebook may be a list."""
    sink = Sink()
    node: Node | None = load_yaml_text("e", "- {example: a}\n- {example: b}\n", sink)
    assert isinstance(node, Sequence)
    assert len(node.items) == 2
