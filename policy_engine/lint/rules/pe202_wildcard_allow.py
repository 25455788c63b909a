"""A glob that allows what destroys, sends or pays.

What it does:
    Reports an entry `"*"` that allows, and a narrower glob whose own name, or with `--tools` one
    of whose tools, has a word such as delete, send, pay or execute in it; without `--tools` also a
    glob whose name does not say that its tools only read. Handoffs and models to `"*"` are
    reported too.

Why:
    A glob allows tools that do not exist yet. `db_*` was written for `db_read`; `db_drop_table`
    came a year later.

Fails:
    # tools.json: [{"name": "db_read", "inputSchema": {"type": "object"}},
    # tools.json: {"name": "db_drop_table", "inputSchema": {"type": "object"}}]
    tools:
      "db_*": allow
    ---
    tools:
      "*": allow
    ---
    tools:
      "github/*": {args: {repository: {enum: [acme/site]}}}

Passes:
    # tools.json: [{"name": "db_read", "inputSchema": {"type": "object"}},
    # tools.json: {"name": "db_drop_table", "inputSchema": {"type": "object"}}]
    tools:
      db_read: {args: {id: {type: integer, minimum: 1}}}
      db_drop_table: deny
    ---
    tools:
      "read_*": allow
      "db_*": {effect: require_approval, approval: {approvers: [dba], expires: 15m}}

Fix:
    Name the tools that are meant. A glob may deny, and may ask for an approval.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.compiler.names import is_glob
from policy_engine.lint.proof.scene import Scene, call_scene
from policy_engine.lint.registered import tools_for
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Entry, Subject, named_by
from policy_engine.lint.words import destructive, names_in, words_of

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for entry in subject.entries:
        if is_glob(entry.name) and entry.block.effect == "allow":
            culprit = _culprit(subject, entry)
            if culprit is not None:
                yield _found(subject, entry, culprit)
    for loaded in subject.policies:
        for section, noun in (("handoffs", "agent"), ("models", "model")):
            entries = getattr(loaded.policy, section) or {}
            if "*" in entries and entries["*"].effect == "allow":
                scene = Scene(subject, loaded, "handoff", "anybody")
                yield Found(
                    loaded,
                    (section, "*"),
                    f'"*" allows every {noun}',
                    f"name the {noun}s that are meant",
                    on_key=True,
                    witness=scene.show(shows="permitted", effect="allow")
                    if section == "handoffs"
                    else None,
                )


def _culprit(subject: Subject, entry: Entry) -> str | None:
    """Return a tool that the entry should not allow without being asked."""
    for name in [tool.name for tool in tools_for(subject, entry)] or [entry.name]:
        if destructive(name) and not any(
            other.block.effect != "allow" for other in subject.entries_of(name)
        ):
            return name
    if entry.name.strip("*?") == "":
        return named_by(entry.name, "delete_everything")
    if subject.tools is None and _READING.isdisjoint(words_of(entry.name)):
        name = named_by(entry.name, "delete")
        others = [one for one in subject.entries_of(name) if one.name != entry.name]
        if not others and destructive(name):
            return name
    return None


_READING: Final = names_in(
    """
    get list read search find lookup look view describe show fetch count check query browse help
    status inspect explain preview calc calculate convert translate summarize summarise
    """
)


def _found(subject: Subject, entry: Entry, culprit: str) -> Found:
    name = named_by(culprit)
    return Found(
        entry.policy,
        entry.path,
        f'"{entry.name}" allows "{name}"',
        "name the tools that are meant; a glob may deny, or ask for an approval",
        on_key=True,
        witness=call_scene(subject, entry.policy, name).show(
            shows="permitted", effect="allow", speaks=(entry.rule,)
        ),
    )


RULE: Final = LintRule("PE202", "wildcard-allow", "error", __doc__ or "", _find)
