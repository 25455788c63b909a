"""Policies that change on disk: whole revisions at once, or the old one."""

import threading
from pathlib import Path

import pytest
from guarding import OPEN, asking, guard_of, write

from policy_engine import Denied, PolicyError, Request

DENY = {"tools": {"t": "deny"}}
BROKEN = {"tools": {"t": "maybe"}}


def folder(guard):
    return Path(guard._folder.path)


def allows(guard):
    return guard.decide(Request(tool="t", args={}, agent="a")).permitted


def test_a_change_is_taken_when_two_looks_found_the_same():
    guard = guard_of(OPEN)
    before = guard.revision
    assert not guard.poll()
    write(folder(guard), 0, DENY)
    assert not guard.poll(), "it may not be written to its end"
    assert allows(guard)
    assert guard.poll()
    assert not allows(guard)
    assert guard.revision != before
    assert not guard.poll()


def test_a_change_that_goes_on_is_not_taken_half_way():
    guard = guard_of(OPEN)
    whole = (folder(guard) / "0.yaml").read_text("utf-8")
    changed = whole.replace("allow", "deny")
    for end in range(0, len(changed), 20):
        (folder(guard) / "0.yaml").write_text(changed[:end], "utf-8")
        assert not guard.poll()
        assert allows(guard)
    (folder(guard) / "0.yaml").write_text(changed, "utf-8")
    assert not guard.poll()
    assert guard.poll()
    assert not allows(guard)


def test_a_broken_change_is_reported_once_and_the_old_revision_stays(caplog):
    guard = guard_of(OPEN)
    before = guard.revision

    def reports():
        return [r for r in caplog.records if "were not taken" in r.getMessage()]

    write(folder(guard), 0, BROKEN)
    for _ in range(5):
        assert not guard.poll()
    assert len(reports()) == 1
    assert '"maybe"' in caplog.text
    assert guard.revision == before
    assert allows(guard)
    with pytest.raises(PolicyError):
        guard.reload()
    write(folder(guard), 0, OPEN)
    for _ in range(3):
        assert not guard.poll()
    write(folder(guard), 0, BROKEN)
    for _ in range(3):
        assert not guard.poll()
    assert len(reports()) == 2, "it broke again"


@pytest.mark.parametrize(
    ("name", "content"),
    [("new.yaml", b"\xff\xfe\x00"), ("new.yml", None)],
    ids=["no UTF-8", "a link to nothing"],
)
def test_a_file_that_cannot_be_read_breaks_the_set(name, content, caplog):
    guard = guard_of(OPEN)
    if content is None:
        (folder(guard) / name).symlink_to(folder(guard) / "nowhere")
    else:
        (folder(guard) / name).write_bytes(content)
    for _ in range(4):
        assert not guard.poll()
    assert caplog.text.count("were not taken") == 1
    assert allows(guard)


def test_a_set_from_which_a_policy_vanished_is_refused_unless_told(caplog):
    guard = guard_of(OPEN, DENY)
    assert not allows(guard)
    (folder(guard) / "1.yaml").unlink()
    for _ in range(4):
        assert not guard.poll()
    assert caplog.text.count('the policy "p1" vanished') == 1
    assert not allows(guard)
    with pytest.raises(PolicyError, match='"p1" vanished'):
        guard.reload()
    guard.reload(allow_vanished=True)
    assert allows(guard)
    for _ in range(3):
        assert not guard.poll()
    write(folder(guard), 1, DENY)
    assert [guard.poll(), guard.poll()] == [False, True]


def test_an_empty_or_removed_folder_keeps_the_old_revision():
    guard = guard_of(DENY)
    (folder(guard) / "0.yaml").unlink()
    for _ in range(3):
        assert not guard.poll()
    with pytest.raises(PolicyError):
        guard.reload(allow_vanished=True)
    folder(guard).rmdir()
    assert not guard.poll()
    assert not allows(guard)


def test_a_watch_takes_changes_until_it_is_stopped():
    guard = guard_of(OPEN)
    with guard.watch(every=0.01):
        write(folder(guard), 0, DENY)
        for _ in range(500):
            if not allows(guard):
                break
            threading.Event().wait(0.01)
        assert not allows(guard)
    write(folder(guard), 0, OPEN)
    threading.Event().wait(0.05)
    assert not allows(guard)


def test_a_call_under_way_is_judged_by_the_newest_revision_when_it_returns():
    guard = guard_of({"tools": {"t": "allow"}})
    rule = {"id": "no", "check": {"terms": {"any": ["page"]}}, "effect": "deny"}

    @guard.tool(name="t")
    def tool():
        write(folder(guard), 0, {"tools": {"t": {"result": [rule]}}})
        guard.reload()
        return "page"

    with asking(guard), pytest.raises(Denied):
        tool()


def test_a_decision_that_was_made_by_an_old_revision_lets_nothing_through():
    fact = {"from": "app:x", "with": [], "schema": {"type": "string"}, "timeout": "5s"}
    rule = {"id": "r", "when": "facts.x == 'bad'", "effect": "deny"}
    guard = guard_of({"facts": {"x": fact}, "tools": {"t": {"rules": [rule]}}})
    looked_up = []

    def look_up():
        looked_up.append(1)
        write(folder(guard), 0, DENY)
        guard.reload()
        return "good"

    guard.fact("x", look_up)
    with asking(guard), pytest.raises(Denied):
        guard.tool(lambda: 1, name="t")()
    assert looked_up == [1]
    record = guard.seen.decisions[0]
    assert record["policy_revision"] == guard.revision


def test_deciding_never_stumbles_over_fifty_reloads():  # noqa: C901 - a race has many parts
    """Each revision denies one of two tools, so no call of both may ever be permitted."""
    never = {"tools": {"never": "deny"}}
    one = {"tools": {"t": "deny", "u": "allow", "never": "deny"}}
    other = {"tools": {"t": "allow", "u": "deny", "never": "deny"}}
    guard = guard_of(one, never)
    revisions = {guard.revision}
    tools = {name: guard.tool(lambda: 1, name=name) for name in ("t", "u", "never")}
    over = threading.Event()
    wrong, done = [], []

    def work():
        session = asking(guard)
        while not over.is_set():
            for name, tool in tools.items():
                try:
                    session.run(tool)
                except Denied as error:
                    if error.decision.reasons[0].code not in ("entry.deny", "guard.contended"):
                        wrong.append(error)
                except BaseException as error:  # noqa: BLE001 - none may be raised
                    wrong.append(error)
                else:
                    if name == "never":
                        wrong.append(name)
            done.append(1)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(50):
        write(folder(guard), 0, other if number % 2 == 0 else one)
        guard.reload()
        revisions.add(guard.revision)
    over.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(done) > 10
    assert len(revisions) == 2
    effects = {
        (record["policy_revision"], record["tool"], record["effect"])
        for record in guard.seen.decisions
        if "guard.contended" not in record["codes"]
    }
    assert len(effects) == 6, "each revision said one thing about each tool, always"


def test_reloads_at_once_end_with_what_is_on_disk():
    guard = guard_of(OPEN)
    write(folder(guard), 0, DENY)
    threads = [threading.Thread(target=guard.reload) for _ in range(8)]
    threads += [threading.Thread(target=guard.poll) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not allows(guard)
