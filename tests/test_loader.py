"""From files to policies: which files, in which order, and every fault at once."""

import os
import sys
from contextlib import contextmanager
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_engine.errors import FAULT_CODES, PolicyError
from policy_engine.loader import load, load_texts

DESK = "policy: desk\nlanguage: 1\ntools: {lookup: allow}\n"
BASE = "policy: base\nlanguage: 1\ntools: {refund: deny}\n"


def ids(compiled):
    return [loaded.policy.policy for loaded in compiled.policies.policies]


def faults_of(read, *args):
    with pytest.raises(PolicyError) as caught:
        read(*args, warm=False)
    return caught.value.faults


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/")
            path = path.with_suffix("" if "." in path.name else ".yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_one_file_is_a_set(folder):
    folder(desk=DESK)
    assert ids(load("desk.yaml", warm=False)) == ["desk"]


def test_a_file_may_have_any_name(folder):
    (folder() / "rules.txt").write_text(DESK)
    assert ids(load("rules.txt", warm=False)) == ["desk"]


def test_a_folder_is_read_in_sorted_order_without_tests(folder):
    root = folder(z=BASE, a__desk=DESK, tests__t="policies: ..", a__tests__t="tests: []")
    (root / "other.yml").write_text(DESK.replace("desk", "other"))
    (root / "UPPER.YAML").write_text(DESK.replace("desk", "upper"))
    (root / "notes.md").write_text("not a policy")
    (root / "examples.jsonl").write_text("{}")
    compiled = load(root, warm=False)
    names = [os.path.relpath(p.document.path, root) for p in compiled.policies.policies]
    assert names == ["UPPER.YAML", "a/desk.yaml", "other.yml", "z.yaml"]


def test_a_folder_named_tests_can_be_asked_for(folder):
    folder(tests__desk=DESK)
    assert ids(load("tests", warm=False)) == ["desk"]


def test_links_that_lead_back_are_followed_once(folder):
    root = folder(a__desk=DESK)
    (root / "a" / "up").symlink_to(root, target_is_directory=True)
    (root / "b").symlink_to(root / "a", target_is_directory=True)
    assert ids(load(root, warm=False)) == ["desk"]


def test_a_mounted_volume_is_read_once(folder):
    # A volume of configuration shows each file through a chain of links.
    root = folder(**{"..2026__desk": DESK})
    (root / "..data").symlink_to("..2026", target_is_directory=True)
    (root / "desk.yaml").symlink_to("..data/desk.yaml")
    compiled = load(root, warm=False)
    assert [str(root / "desk.yaml")] == [p.document.path for p in compiled.policies.policies]


def test_what_is_not_there_is_a_fault(folder):
    folder()
    (fault,) = faults_of(load, "policies")
    assert fault.code == "PE001"
    assert "no such file" in fault.message
    assert faults_of(load, "a\0b")[0].code == "PE001"


def test_an_empty_folder_is_a_fault(folder):
    (fault,) = faults_of(load, folder(tests__desk=DESK))
    assert (fault.code, fault.message) == ("PE001", "the folder holds no policy")


def test_no_texts_are_a_fault():
    (fault,) = faults_of(load_texts, {})
    assert fault.code == "PE001"


def test_a_file_that_cannot_be_read_keeps_the_set_from_loading(folder):
    root = folder(desk=DESK)
    (root / "gone.yaml").symlink_to("nowhere.yaml")
    (fault,) = faults_of(load, ".")
    assert (fault.code, fault.location.path) == ("PE001", "./gone.yaml")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes in folders")
def test_a_pipe_is_not_waited_for(folder):
    os.mkfifo(folder(desk=DESK) / "pipe.yaml")
    (fault,) = faults_of(load, ".")
    assert fault.message == "is not a file"


NOBODY = 65534


@contextmanager
def nobody(root):
    """Be somebody whom permissions bind: root reads everything."""
    if os.geteuid() != 0:
        yield
        return
    for path in (root, *root.rglob("*")):
        os.chown(path, NOBODY, -1)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's here")
def test_a_folder_that_cannot_be_read_is_a_fault(folder):
    root = folder(desk=DESK, secret__base=BASE)
    secret = root / "secret"
    secret.chmod(0)
    try:
        with nobody(root):
            (fault,) = faults_of(load, ".")
    finally:
        secret.chmod(0o700)
    assert (fault.code, fault.location.path) == ("PE001", "./secret")


def test_bytes_that_are_not_utf_8_have_a_place(folder):
    (folder() / "desk.yaml").write_bytes("é: 1\nb: ".encode() + b"\xff\n")
    (fault,) = faults_of(load, "desk.yaml")
    assert (fault.code, fault.location.line, fault.location.column) == ("PE002", 2, 4)


def test_a_huge_file_is_not_read_to_its_end(folder):
    (folder() / "desk.yaml").write_bytes(b"\xff" * (3 << 20))
    (fault,) = faults_of(load, "desk.yaml")
    assert fault.code == "PE001"


def test_the_revision_depends_on_what_the_files_say_only(folder):
    root = folder(one__a=DESK, one__b=BASE, two__sub__x=BASE, two__y=DESK)
    revisions = {
        load(root / "one", warm=False).policies.revision,
        load(root / "two", warm=False).policies.revision,
        load_texts({"p": DESK, "q": BASE}, warm=False).policies.revision,
        load_texts({"q": BASE, "p": DESK}, warm=False).policies.revision,
    }
    (revision,) = revisions
    assert revision.startswith("sha256:")
    assert len(revision) == len("sha256:") + 64
    other = load_texts({"p": DESK, "q": BASE + "\n"}, warm=False).policies.revision
    assert revision != other


def test_faults_of_shape_and_of_meaning_come_together():
    text = dedent(
        """\
        policy: desk
        language: 1
        defualt: deny
        tools:
          refund:
            effect: require_approval
            rules:
              - {id: bad id, when: 'true', effect: deny}
              - {id: never, effect: deny}
          broken: 3
        rules:
          - {id: first, tools: [in_the_broken_entry], effect: dney}
          - {id: second, tools: [refund], effect: deny, approval: {approvers: [x], expires: 1h}}
        limits:
          - {id: second, tools: [refund], max: 1, by: [session]}
        """
    )
    faults = faults_of(load_texts, {"p.yaml": text})
    expected = [
        (3, 1, "PE006"),
        (6, 13, "PE021"),
        (8, 14, "PE009"),
        (9, 9, "PE020"),
        (10, 11, "PE008"),
        (12, 55, "PE009"),
        (13, 49, "PE021"),
        (15, 10, "PE010"),
    ]
    assert expected == [(f.location.line, f.location.column, f.code) for f in faults]


def test_a_name_of_a_part_that_could_not_be_read_is_no_fault():
    faults = faults_of(
        load_texts,
        {
            "a.yaml": "policy: a\nlanguage: 1\ntools: [\n",
            "b.yaml": "policy: b\nlanguage: 1\nrules:\n  - {id: x, tools: [y], effect: deny}\n",
        },
    )
    assert [fault.location.path for fault in faults] == ["a.yaml"]


CONSTANTS = dedent(
    """\
    policy: desk
    language: 1
    vars:
      tools: [refund]
      most: 5
      window: 1h
      text: No more.
      schema: {type: number, maximum: 10}
      approval: {approvers: [finance], expires: 15m}
    tools:
      refund:
        args: {amount: vars.schema}
    rules:
      - id: large
        tools: vars.tools
        when: args.amount > vars.most
        effect: require_approval
        approval: vars.approval
        message: vars.text
      - {id: prose, tools: [refund], effect: deny, message: vars. are not read here}
    limits:
      - {id: refunds, tools: vars.tools, max: vars.most, per: vars.window, by: [session]}
    """
)


def test_a_constant_stands_for_a_list_a_number_a_text_or_a_mapping():
    (loaded,) = load_texts({"p": CONSTANTS}, warm=False).policies.policies
    policy = loaded.policy
    assert policy.tools["refund"].args == {"amount": {"type": "number", "maximum": 10}}
    assert policy.rules[0].tools == ("refund",)
    assert policy.rules[0].when == "args.amount > vars.most"
    assert policy.rules[0].approval.approvers == ("finance",)
    assert policy.rules[0].message == "No more."
    assert policy.rules[1].message == "vars. are not read here"
    assert (policy.limits[0].max, policy.limits[0].per) == (5, 3600)


def test_a_schema_may_name_a_property_like_an_expression():
    text = dedent(
        """\
        policy: desk
        language: 1
        vars: {s: {type: string}}
        tools: {t: {args: {when: vars.s, by: vars.s, with: vars.s}}}
        """
    )
    (loaded,) = load_texts({"p": text}, warm=False).policies.policies
    assert loaded.policy.tools["t"].args["when"] == {"type": "string"}


def test_faults_in_a_constant_point_to_where_it_stands():
    text = CONSTANTS.replace("maximum: 10", "maxmum: 10")
    (fault,) = faults_of(load_texts, {"p": text})
    assert (fault.location.line, fault.location.column) == (12, 20)


def test_thousands_of_faults_stay_readable():
    text = "policy: p\nlanguage: 1\n" + "".join(f"key{i}: vars.x{i}\n" for i in range(20_000))
    with pytest.raises(PolicyError) as caught:
        load_texts({"p": text})
    assert len(caught.value.faults) <= 200


WORDS = st.sampled_from(
    [
        "policy",
        "language",
        "description",
        "mode",
        "default",
        "applies_to",
        "agents",
        "context",
        "attrs",
        "vars",
        "facts",
        "from",
        "with",
        "schema",
        "input",
        "output",
        "tools",
        "rules",
        "result",
        "handoffs",
        "models",
        "prices",
        "limits",
        "id",
        "when",
        "check",
        "args",
        "in",
        "effect",
        "approval",
        "approvers",
        "quorum",
        "expires",
        "message",
        "severity",
        "replacement",
        "unread",
        "tools",
        "except",
        "stage",
        "labels",
        "timeout",
        "of",
        "max",
        "per",
        "by",
        "timezone",
        "alert_at",
        "size",
        "max_chars",
        "terms",
        "any",
        "pattern",
        "type",
        "string",
        "number",
        "maximum",
        "enum",
        "properties",
        "allow",
        "deny",
        "redact",
        "require_approval",
        "lookup",
        "send_*",
        "*",
        "vars.x",
        "vars.y",
        "5m",
        "day",
        "session",
        "args.a",
        "calls",
        "tokens",
        "1h",
        "args.amount",
        "true",
    ]
)
ATOMS = WORDS | st.none() | st.booleans() | st.integers(-3, 300) | st.floats() | st.text(max_size=4)
TREES = st.recursive(
    ATOMS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4)
)
RULES = st.fixed_dictionaries(
    {"id": st.sampled_from(["a", "b", "A b"]), "effect": st.sampled_from(["deny", "redact", "x"])},
    optional={
        "when": WORDS,
        "check": TREES | st.just({"terms": {"any": ["x"]}}),
        "tools": st.lists(WORDS, max_size=2) | TREES,
        "args": TREES | st.just({"amount": {"type": "number"}}),
        "approval": TREES | st.just({"approvers": ["x"], "expires": "5m"}),
        "in": st.just(["args.a"]),
        "except": st.lists(WORDS, max_size=2),
        "stage": WORDS,
        "odd": TREES,
    },
)
ENTRIES = (
    st.sampled_from(["allow", "deny"])
    | TREES
    | st.fixed_dictionaries(
        {}, optional={"args": TREES, "rules": st.lists(RULES, max_size=2), "effect": WORDS}
    )
)
POLICIES = st.fixed_dictionaries(
    {"policy": WORDS, "language": st.just(1)},
    optional={
        "vars": st.dictionaries(st.sampled_from(["x", "z z"]), TREES, max_size=2),
        "tools": st.dictionaries(WORDS, ENTRIES, max_size=3) | TREES,
        "rules": st.lists(RULES | TREES, max_size=3),
        "input": st.lists(RULES, max_size=2),
        "handoffs": st.dictionaries(WORDS, ENTRIES, max_size=2),
        "models": st.dictionaries(WORDS, TREES, max_size=2),
        "prices": TREES,
        "facts": TREES,
        "context": st.dictionaries(WORDS, TREES, max_size=2),
        "limits": st.lists(
            st.fixed_dictionaries(
                {"id": WORDS, "max": ATOMS, "by": st.lists(WORDS, max_size=2)},
                optional={"of": WORDS, "tools": st.lists(WORDS), "stage": WORDS, "per": WORDS},
            )
            | TREES,
            max_size=2,
        ),
        "applies_to": TREES,
    },
)


def written(value):
    """Write a value as flow YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(k)}: {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, str):
        escaped = "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in value)
        return value if value.replace("_", "").isalpha() else f'"{escaped}"'
    return {True: "true", False: "false", None: "null"}.get(value, str(value))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(POLICIES, min_size=1, max_size=2))
def test_no_policy_raises_anything_but_a_policy_error(policies):
    texts = {f"{i}.yaml": written(policy) for i, policy in enumerate(policies)}
    try:
        load_texts(texts, warm=False)
    except PolicyError as error:
        faults = error.faults
    else:
        faults = ()
    for fault in faults:
        assert fault.code in FAULT_CODES
        assert fault.message[0] == '"' or not fault.message[0].isupper()
        assert not fault.message.endswith(".")
        assert "Input should" not in fault.message
        assert 0 < fault.location.column <= len(texts[fault.location.path]) + 1
