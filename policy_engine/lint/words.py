"""What names tell: tools that destroy or send, arguments that are run or opened, amounts."""

import re
from collections.abc import Mapping
from typing import Final

__all__ = [
    "AMOUNTS",
    "DANGEROUS",
    "GUARDS",
    "destructive",
    "is_slip",
    "kind_of",
    "names_in",
    "operating",
    "shown",
    "told_by_case",
    "words_of",
]


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

_OPERATING: Final = names_in(
    """
    delete drop remove destroy purge wipe erase truncate kill terminate revoke reset disable
    shutdown deploy exec execute run shell bash sudo eval overwrite grant admin rollback format
    uninstall migrate restart reboot apply scale
    """
)

_BETWEEN_PEOPLE: Final = names_in(
    """
    leave vacation holiday holidays absence sabbatical loan credit discount coupon refund voucher
    contract scholarship extension bonus raise payroll order booking invoice subscription permit
    """
)
"""What is given to people, or taken from them, by a verb that also changes systems."""

DANGEROUS: Final[Mapping[str, frozenset[str]]] = {
    "shell": names_in(
        """
        command commands cmd cmds cmdline command_line shell shell_command bash bash_command
        powershell powershell_command argv args extra_args arguments cli_args
        """
    ),
    "code": names_in(
        """
        code code_snippet code_block source_code python python_code py_code javascript js_code
        program snippet script script_content expression expression_code expr eval formula
        """
    ),
    "sql": names_in(
        """
        sql query_sql sql_query raw_sql raw_query sql_statement statement statements where
        where_clause where_sql filter filter_expression filter_query having order_by cypher
        cypher_query soql kql
        """
    ),
    "path": names_in(
        """
        path file filepath file_path filename_path directory dir folder_path destination_path
        src_path source_path target_path output_path input_path local_path file_name filename
        cwd workdir working_directory paths
        """
    ),
    "url": names_in(
        """
        url uri link href endpoint webhook callback_url host hostname urls webhook_url base_url
        target_url image_url redirect_url redirect_uri callback endpoint_url proxy website
        """
    ),
}
"""What an argument is given to -> what it is called."""

_SPOKEN: Final = names_in("query queries q")
_DATABASES: Final = names_in(
    """
    sql db database postgres postgresql mysql mariadb sqlite bigquery snowflake redshift athena
    duckdb clickhouse warehouse oracle mssql neo4j cypher graph
    """
)
"""Of whose tools a query is one in their own language."""
_NAMES: Final = names_in("filename file_name")
_LOOKING: Final = names_in("search find list")
"""Tools that look for a name rather than open what has it."""

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

_BY_CASE: Final = names_in("branch branches ref refs")
_BY_CASE_THERE: Final = names_in("base head tag tags namespace namespaces bucket pod deployment")
_TOLD_BY_CASE: Final = names_in(
    """
    git github gitlab bitbucket gitea repo repository pull merge image images docker registry
    k8s kubernetes kubectl cluster helm pod pods deployment s3 gcs bucket
    """
)
"""Systems that tell such names apart by case, or take one case only."""

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def words_of(name: str) -> list[str]:
    """Return the words of a name, in lower case: `dropTable` and `drop_table` alike."""
    return [word.lower() for word in _WORD.findall(name)]


def destructive(name: str) -> bool:
    """Whether a tool's name says that it changes, sends or runs something."""
    return not _DESTRUCTIVE.isdisjoint(words_of(name))


def operating(name: str) -> bool:
    """Whether a tool's name says that it changes systems, rather than deals with people."""
    words = set(words_of(name))
    return not _OPERATING.isdisjoint(words) and _BETWEEN_PEOPLE.isdisjoint(words)


def told_by_case(name: str, tool: str) -> bool:
    """Whether an argument names what is another thing in another case, such as a git branch."""
    words, around = set(words_of(name)), set(words_of(tool))
    return bool(words & _BY_CASE) or bool(words & _BY_CASE_THERE and around & _TOLD_BY_CASE)


def shown(text: str) -> str:
    """Quote a piece of an expression: in double quotes, or in backticks where it holds some."""
    return f"`{text}`" if '"' in text else f'"{text}"'


def kind_of(name: str, tool: str = "") -> str | None:
    """Return what an argument is given to, by its name: a kind of `DANGEROUS`, or None."""
    plain, words = "_".join(words_of(name)), set(words_of(tool))
    if plain in _NAMES and words & _LOOKING:
        return None
    if plain in _SPOKEN and words & _DATABASES:
        return "sql"
    lowered = name.lower()
    return next((k for k, names in DANGEROUS.items() if plain in names or lowered in names), None)


def is_slip(one: str, other: str) -> bool:
    """Whether two names are probably one, of which a letter was lost, doubled or changed round."""
    short, long = sorted((one, other), key=len)
    if one == other or len(short) < _LONG or any(char.isdigit() for char in one + other):
        return False
    if len(short) == len(long):
        at = next(i for i, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1])
        return one[:at] + one[at : at + 2][::-1] + one[at + 2 :] == other
    return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


_LONG: Final = 5
"""Shorter names differ by a letter on purpose."""
