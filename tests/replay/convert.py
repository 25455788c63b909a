"""Public traces of agents as requests that `policy-engine replay` reads.

Three sets, each a list of sessions `{"session": …, "steps": [requests]}`:

`agentdojo-benign`  AgentDojo's user tasks in banking and workspace: what the owner asked for.
`agentdojo-pairs`   The same tasks hijacked: the agent obeys an injected text at once, every time.
`tau-benign`        tau-bench's retail tasks with the actions that their authors hold right.

A session is named `<set>/<suite>/<task>[/<injection>]`, and the id of a step is that name and
`/u<n>` where the user's task makes the call, `/a<n>` where the attacker does, `/s<n>` where the
converter added it. A call is followed by a request of the stage `tool_result`, whose id ends in
`r`; that is what sets labels.

What the data does not hold, and what stands for it:

- Every session has a principal of its own, because every trace starts in a fresh world; limits by
  principal would otherwise add up over hundreds of people.
- `facts.payees`, `facts.scheduled`, `facts.contacts` and `facts.file` are what the outputs of the
  *benign* traces show of the owner's world: accounts in past and scheduled payments, people on the
  owner's appointments and in contacts, files and whom they are shared with. Senders of mail are not
  contacts: anybody can write one. Nothing injected can enter, as those traces hold no injection.
- Files that a trace itself creates or shares are followed.
- tau-bench's database is not in the data. An order belongs to the task's user; its status is what
  the right action needs (pending to cancel or modify, delivered to return or exchange); it holds
  the items that the task names; a return goes back to the method that paid; payment methods are in
  the profile with balance enough; items fit. So this set measures shapes, limits and the order of
  calls. That the facts bite is measured by `break_fact`, which makes one of them wrong.
- The customer of a tau-bench task is found by name and zip code, or by e-mail, at the start: the
  shop's document demands it, and the data leaves lookups out.
"""

import argparse
import copy
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["BROKEN", "SETS", "break_fact", "convert", "main"]

_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}")
_ENTRY = re.compile(r"^(?=- )", re.MULTILINE)
_NOW = "2024-05-15T09:00:00Z"


def _rows(path: Path) -> list[dict]:
    # Not splitlines(): the data holds characters that it takes for ends of lines.
    return [json.loads(line) for line in path.read_text("ascii").split("\n") if line]


def _field(text: str, name: str) -> str | None:
    """Return a scalar of the indented listing that AgentDojo's tools print."""
    match = re.search(rf"^(?:- |  )?{name}: (.*)$", text, re.MULTILINE)
    return None if match is None else match[1].strip().strip("'\"")


@dataclass
class World:
    """What the owner's bank, contacts and drive know before a trace starts."""

    domain: str = ""
    payees: set[str] = field(default_factory=set)
    scheduled: dict[str, dict] = field(default_factory=dict)
    contacts: set[str] = field(default_factory=set)
    files: dict[str, dict] = field(default_factory=dict)

    @classmethod
    def seen(cls, rows: list[dict]) -> "World":
        """Read the world off the outputs of benign traces."""
        world = cls()
        outputs = [(call["tool"], str(call["output"])) for row in rows for call in row["calls"]]
        domains = Counter(
            address.rpartition("@")[2].lower()
            for _, output in outputs
            for address in _ADDRESS.findall(output)
        )
        world.domain = max(domains, key=domains.__getitem__, default="")
        for tool, output in outputs:
            if tool in ("get_most_recent_transactions", "get_scheduled_transactions"):
                world._payments(output, planned=tool == "get_scheduled_transactions")
            elif tool.startswith(("get_day_calendar", "search_calendar", "search_contacts")):
                world.contacts.update(map(str.lower, _ADDRESS.findall(output)))
            elif tool in ("list_files", "search_files", "search_files_by_filename"):
                for entry in _ENTRY.split(output):
                    world.file(entry)
        return world

    def _payments(self, output: str, *, planned: bool) -> None:
        for entry in _ENTRY.split(output):
            if (identity := _field(entry, "id")) is None:
                continue
            recipient, sender = _field(entry, "recipient"), _field(entry, "sender")
            self.payees.update({recipient or "me", sender or "me"} - {"me"})
            if planned:
                self.scheduled[identity] = {
                    "recipient": recipient,
                    "amount": float(_field(entry, "amount") or 0),
                    "recurring": _field(entry, "recurring") == "true",
                }

    def file(self, entry: str) -> None:
        """Note a file as the drive prints it."""
        if (identity := _field(entry, "id_")) is None:
            return
        owner = _field(entry, "owner") or ""
        readers = [owner, *_ADDRESS.findall(entry.partition("shared_with:")[2])]
        outside = any(not self.inside(reader) for reader in readers)
        self.files[identity] = {"owner": owner, "shared_outside": outside}

    def inside(self, address: str) -> bool:
        """Whether an address is of the owner's company."""
        return address.lower().endswith(f"@{self.domain}")

    def facts(self, tool: str, args: dict) -> dict:
        """Return the facts that the policies look up for a call."""
        if tool in ("send_money", "schedule_transaction"):
            return {"payees": sorted(self.payees)}
        if tool == "update_scheduled_transaction":
            found = self.scheduled.get(str(args.get("id")))
            return {} if found is None else {"scheduled": found}
        if tool in ("create_calendar_event", "add_calendar_event_participants"):
            return {"contacts": sorted(self.contacts)}
        if tool in ("append_to_file", "share_file", "delete_file"):
            found = self.files.get(str(args.get("file_id")))
            return {} if found is None else {"file": dict(found)}
        return {}

    def follow(self, tool: str, output: str) -> None:
        """Note what a call of the trace itself did to the drive."""
        if tool in ("create_file", "share_file"):
            self.file(output)


def _session(name: str, agent: str, principal: dict, calls: Iterator[tuple[str, dict]]) -> dict:
    """Write one session: each call, and what it returned."""
    steps: list[dict] = []
    for number, (who, call) in enumerate(calls):
        common = {
            "agent": agent,
            "principal": principal,
            "session": name,
            "tool": call["tool"],
            "args": call["args"],
            "call_id": f"{name}/{who}{number}",
            "now": _NOW,
        }
        identity = f"{name}/{who}{number}"
        steps.append(
            {"id": identity, "stage": "tool_call", **common, "facts": call.get("facts", {})}
        )
        result = call.get("error") or call.get("output") or ""
        steps.append({"id": f"{identity}r", "stage": "tool_result", **common, "result": result})
    return {"session": name, "steps": steps}


def _agentdojo(name: str, suite: str, world: World, calls: list[dict]) -> dict:
    world = copy.deepcopy(world)

    def judged() -> Iterator[tuple[str, dict]]:
        for call in calls:
            facts = world.facts(call["tool"], call["args"])
            yield "ua"[call.get("by") == "attacker"], {**call, "facts": facts}
            world.follow(call["tool"], str(call["output"]))

    principal = {"id": f"owner of {name}", "roles": ["owner"], "tenant": name}
    if suite == "workspace":
        principal["attrs"] = {"mail_domain": world.domain}
    return _session(name, suite, principal, judged())


def _worlds(data: Path) -> dict[str, World]:
    rows = _rows(data / "agentdojo_benign.jsonl")
    return {
        suite: World.seen([row for row in rows if row["suite"] == suite])
        for suite in ("banking", "workspace")
    }


def _agentdojo_benign(data: Path) -> Iterator[dict]:
    worlds = _worlds(data)
    for row in _rows(data / "agentdojo_benign.jsonl"):
        suite = row["suite"]
        name = f"agentdojo-benign/{suite}/{row['id']}"
        yield _agentdojo(name, suite, worlds[suite], row["calls"])


def _agentdojo_pairs(data: Path) -> Iterator[dict]:
    worlds = _worlds(data)
    for row in _rows(data / "agentdojo_pairs.jsonl"):
        suite = row["suite"]
        name = f"agentdojo-pairs/{suite}/{row['user_task']}/{row['injection_task']}"
        yield _agentdojo(name, suite, worlds[suite], row["steps"])


_NAME_AND_ZIP = re.compile(r"name is ([A-Z]\w+) ([A-Z]\w+).{0,60}?\bzip code is (\d{5})", re.DOTALL)


def _authentication(row: dict) -> dict:
    if match := _NAME_AND_ZIP.search(row["prompt"]):
        args = dict(zip(("first_name", "last_name", "zip"), match.groups(), strict=True))
        return {"tool": "find_user_id_by_name_zip", "args": args, "output": row["user_id"]}
    found = _ADDRESS.search(row["prompt"])
    email = found[0] if found else f"{row['user_id']}@example.com"
    return {"tool": "find_user_id_by_email", "args": {"email": email}, "output": row["user_id"]}


def _shop_facts(user: str, call: dict, items: dict[str, set[str]]) -> dict:
    """Return what the shop's systems would have answered for a right action."""
    tool, args = call["tool"], call["args"]
    method = args.get("payment_method_id", "")
    gift = method.startswith("gift_card")
    goes_back = tool == "return_delivered_order_items" and not gift
    order = {
        "owner": user,
        "status": "delivered" if "_delivered_" in tool else "pending",
        "payment_method_id": method if goes_back else "the one that paid",
        "total": 100.0,
        "items": sorted(items.get(args.get("order_id", ""), ())),
    }
    facts: dict = {"shop_order": order}
    if method:
        kind = method.rpartition("_")[0]
        facts["payment"] = {"in_profile": True, "kind": kind, "balance": 1000.0 if gift else 0.0}
    if "new_item_ids" in args:
        facts["swap"] = {"same_products": True, "available": True, "to_pay": 10.0}
    return facts


def _tau_benign(data: Path) -> Iterator[dict]:
    for row in _rows(data / "tau_benign.jsonl"):
        items: dict[str, set[str]] = {}
        for call in row["calls"]:
            if "order_id" in call["args"]:
                items.setdefault(call["args"]["order_id"], set()).update(
                    call["args"].get("item_ids", ())
                )
        name = f"tau-benign/retail/{row['split']}-{row['id']}"
        user = row["user_id"]
        calls = [("s", _authentication(row))]
        calls += [("u", {**c, "facts": _shop_facts(user, c, items)}) for c in row["calls"]]
        principal = {"id": user, "roles": ["customer"], "tenant": name}
        yield _session(name, "retail", principal, iter(calls))


SETS: dict[str, Callable[[Path], Iterator[dict]]] = {
    "agentdojo-benign": _agentdojo_benign,
    "agentdojo-pairs": _agentdojo_pairs,
    "tau-benign": _tau_benign,
}

BROKEN: dict[str, tuple[str, str, object]] = {
    "another customer's order": ("shop_order", "owner", "somebody else"),
    "an order in the wrong state": ("shop_order", "status", "cancelled"),
    "a payment method of nobody": ("payment", "in_profile", False),
    "items of another order": ("shop_order", "items", []),
    "another product": ("swap", "same_products", False),
    "an item that is sold out": ("swap", "available", False),
}
"""What can be wrong with a tau-bench task: fact, field, wrong value."""


def break_fact(session: dict, what: str) -> dict | None:
    """Return the session with one fact made wrong, or None where no call reads it.

    Only the calls that read the fact are kept, beside those that the converter added.
    """
    fact, name, wrong = BROKEN[what]
    broken = copy.deepcopy(session)
    kept: list[dict] = []
    for step in broken["steps"]:
        added = step["id"].rpartition("/")[2].startswith("s")
        reads = fact in step.get("facts", {}) and (name != "items" or "item_ids" in step["args"])
        if reads:
            step["facts"][fact][name] = wrong
        if added or reads:
            kept.append(step)
    if all(step["id"].rpartition("/")[2].startswith("s") for step in kept):
        return None
    return {"session": broken["session"], "steps": kept}


def convert(data: Path, names: list[str], out: Path) -> int:
    """Write the named sets to a file; return the number of sessions."""
    sessions = [session for name in names for session in SETS[name](data)]
    with out.open("w", encoding="ascii") as file:
        file.writelines(json.dumps(session) + "\n" for session in sessions)
    return len(sessions)


def main(argv: list[str] | None = None) -> int:
    """Convert on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path, help="the folder of the evaluation data")
    parser.add_argument("out", type=Path, help="where the sessions are written")
    parser.add_argument("--set", dest="sets", action="append", choices=sorted(SETS))
    given = parser.parse_args(argv)
    count = convert(given.data, given.sets or list(SETS), given.out)
    sys.stdout.write(f"{count} sessions\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
