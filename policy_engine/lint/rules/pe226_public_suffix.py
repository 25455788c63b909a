r"""A domain under which anybody can register.

What it does:
    Reports `endsWith`, or a pattern, that lets every name under a public suffix through, such as
    `.com`, `.co.uk` or `.github.io`.

Why:
    It reads like a list of partners, and is open to whoever pays ten euros.

Fails:
    tools:
      mail:
        args: {to: {type: string, maxLength: 80}}
        rules:
          - {id: ours, when: '!args.to.endsWith(".co.uk")', effect: deny}
    ---
    tools:
      mail: {args: {to: {type: string, maxLength: 80, pattern: '^[a-z]+@[a-z.]+\.com$'}}}

Passes:
    tools:
      mail:
        args: {to: {type: string, format: email, maxLength: 80}}
        rules:
          - {id: ours, when: '!args.to.endsWith("@acme.co.uk")', effect: deny}

Fix:
    Name the domain.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.pieces import lets_through, tested
from policy_engine.lint.places import schemas
from policy_engine.lint.proof.regexes import edges, search
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import names_in

__all__ = ["RULE"]

_SUFFIXES: Final = names_in(
    """
    com net org info biz io ai app dev cloud co me tv eu de fr it es nl pl se ch at uk us ca br in
    cn jp au xyz site online shop store tech page
    co.uk org.uk ac.uk gov.uk me.uk com.au net.au org.au co.nz co.jp co.kr com.br com.cn com.mx
    co.in co.za com.tr com.sg com.hk com.ar co.il
    github.io gitlab.io pages.dev workers.dev web.app firebaseapp.com herokuapp.com vercel.app
    netlify.app azurewebsites.net cloudfront.net amazonaws.com blogspot.com ngrok.io ngrok.app
    appspot.com onrender.com fly.dev
    """
)
"""Suffixes that are met in policies; not every one that there is."""


def _find(subject: Subject) -> Iterator[Found]:
    for one in tested(subject):
        text = str(one.operand)
        if one.kind != "suffix" or not one.allows or not _is_public(text):
            continue
        for value in (f"x@evil{text}", f"https://evil{text}", f"evil{text}"):
            witness = lets_through(subject, one, value, "not stopped: anybody can have that name")
            if witness is not None:
                yield Found(
                    one.found.policy,
                    one.found.path,
                    f'anybody can register a name under "{text.lstrip(".")}"',
                    "name the domain",
                    part=(one.clause.node.start, one.clause.node.end),
                    witness=witness,
                )
                break
    for place in schemas(subject):
        pattern = place.schema.get("pattern")
        suffix = edges(pattern)[1] if isinstance(pattern, str) else ""
        if place.entry is None or not _is_public(suffix):
            continue
        for value in (f"x@evil{suffix}", f"https://evil{suffix}", f"evil{suffix}"):
            witness = None
            if search(str(pattern), value) is True:
                shows = "accepted: anybody can have that name"
                witness = accepted(subject, place, value, shows)
            if witness is not None:
                message = f'anybody can register a name under "{suffix.lstrip(".")}"'
                path = (*place.path, "pattern")
                yield Found(place.policy, path, message, "name the domain", witness=witness)
                break


def _is_public(text: str) -> bool:
    return text.startswith(".") and text[1:].lower() in _SUFFIXES


RULE: Final = LintRule("PE226", "public-suffix", "warning", __doc__ or "", _find)
