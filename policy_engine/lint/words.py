"""What names tell: tools that destroy or send, arguments that are run or opened, amounts."""

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["AMOUNTS", "DANGEROUS", "GUARDS", "destructive", "names_in", "words_of"]


def names_in(text: str) -> frozenset[str]:
    """Return the names that a text lists."""
    return frozenset(text.split())


_DESTRUCTIVE: Final = names_in(
    """
    delete drop remove destroy purge wipe erase truncate kill terminate revoke reset disable
    shutdown cancel transfer pay payment refund purchase buy withdraw send email publish post
    deploy release execute exec run shell bash sudo eval write overwrite grant admin rollback
    format uninstall
    """
)

DANGEROUS: Final[Mapping[str, frozenset[str]]] = {
    "shell": names_in("command cmd shell bash script"),
    "code": names_in("code python javascript program snippet expression_code"),
    "sql": names_in("sql query_sql sql_query statement"),
    "path": names_in(
        """
        path file filepath file_path filename_path directory dir folder_path destination_path
        src_path
        """
    ),
    "url": names_in("url uri link href endpoint webhook callback_url host hostname"),
}
"""What an argument is given to -> what it is called."""

AMOUNTS: Final = names_in(
    """
    amount price total sum cost fee payment refund quantity qty discount salary budget balance
    transfer tip
    """
)
"""What numbers are called that stand for money or goods."""

GUARDS: Final = names_in(
    """
    confirm confirmed confirmation approve approved approval dry_run dryrun env environment
    tenant tenant_id owner owner_id account account_id user_id auth token verified consent role
    permission permissions scope access_level currency limit_to recipient_domain sandbox
    read_only readonly
    """
)
"""What arguments are called that say whether, where or for whom something is done."""

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def words_of(name: str) -> list[str]:
    """Return the words of a name, in lower case: `dropTable` and `drop_table` alike."""
    return [word.lower() for word in _WORD.findall(name)]


def destructive(name: str) -> bool:
    """Whether a tool's name says that it changes, sends or runs something."""
    return not _DESTRUCTIVE.isdisjoint(words_of(name))
