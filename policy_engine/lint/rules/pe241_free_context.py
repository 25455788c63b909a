"""A word of the caller's that is stopped in one spelling.

What it does:
    Reports a rule that stops a call where `context` or an attribute of the principal equals a
    word, begins with it or contains it, and the declaration takes any text: no `enum`, `const`,
    `pattern` or `format`.

Why:
    `production`, `Prod` and `PROD` are no `prod`, and the rule is silent for them. With an `enum`
    a request with another word is denied, and a misspelt one in a rule does not load.

Fails:
    context: {env: {type: string}}
    tools:
      deploy:
        args: {service: {enum: [api, web]}}
        rules:
          - {id: frozen, when: context.env == "prod", effect: deny}

Passes:
    context: {env: {enum: [prod, staging]}}
    tools:
      deploy:
        args: {service: {enum: [api, web]}}
        rules:
          - {id: frozen, when: context.env == "prod", effect: deny}
    ---
    context: {env: {type: string}}
    tools:
      deploy:
        args: {service: {enum: [api, web]}}
        rules:
          - {id: frozen, when: context.env != "staging", effect: deny}

Fix:
    List the words under `enum`, or stop all but the harmless ones.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policy_engine.lint.finding import Witness
from policy_engine.lint.pieces import RESTRICTING
from policy_engine.lint.proof.formula import Clause, Term, clauses, formula
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.lint.words import names_in, words_of

__all__ = ["RULE"]

_NAMES: Final = names_in("id ids name email mail user login subject account customer ip address")
"""Words of names of values that nobody could list."""
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_ -]*")
_CLOSING: Final = ("enum", "const", "pattern", "format", "not", "anyOf", "oneOf", "allOf", "$ref")


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        if condition is None or found.compiled.effect not in RESTRICTING:
            continue
        for clause in clauses(formula(condition.tree)):
            word = _word(clause)
            if word is None or not _is_free(found, clause.atom.term):
                continue
            witness = _witness(subject, found, clause, word)
            if witness is not None:
                dotted = ".".join(clause.atom.term)
                message = f'"{dotted}" may be any text, and only "{word}" is stopped'
                part = (clause.node.start, clause.node.end)
                yield Found(found.policy, found.path, message, _HINT, part=part, witness=witness)
                break


def _word(clause: Clause) -> str | None:
    """Return the word that a test stops."""
    atom = clause.atom
    if atom.kind not in {"==", "in", "prefix", "contains"} or not clause.holds:
        return None
    listed = atom.operand if atom.kind == "in" else (atom.operand,)
    is_words = all(isinstance(word, str) and _WORD.fullmatch(word) for word in listed)
    return listed[0] if listed and is_words else None


def _is_free(found: PlacedCondition, term: Term) -> bool:
    """Whether the caller says something in any words."""
    policy = found.policy.policy
    schema: Any = None
    if term[0] == "context" and len(term) == 2:
        schema = policy.context.get(term[1])
    elif term[:2] == ("principal", "attrs") and len(term) == 3:
        schema = policy.attrs.get(term[2])
    if not isinstance(schema, Mapping) or schema.get("type") != "string":
        return False
    return not any(key in schema for key in _CLOSING) and _NAMES.isdisjoint(words_of(term[-1]))


def _witness(subject: Subject, found: PlacedCondition, clause: Clause, word: str) -> Witness | None:
    """Return a request with another spelling that the rule leaves alone, where it has a say."""
    condition = found.compiled.condition
    term, name = clause.atom.term, found.compiled.name
    if condition is None:
        return None
    for scene in scenes(subject, found)[:1]:
        wanted = formula(condition.tree)
        said = scene.show(wanted, shows="", speaks=(name,), fixed={term: word})
        if said is None:
            return None
        for other in (word.upper(), word.capitalize(), word.lower()):
            shows = "not stopped: it is spelt otherwise"
            witness = scene.show(wanted, shows=shows, silent=(name,), fixed={term: other})
            if witness is not None and other != word:
                return witness
    return None


_HINT: Final = "list the words under `enum`, or stop all but the harmless ones"

RULE: Final = LintRule("PE241", "free-context", "warning", __doc__ or "", _find)
