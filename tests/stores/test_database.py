"""A file that cannot be used says why, is left as it was, and lets nothing through."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from approving import F1, START, Clock, asked, gate, needing
from processes import begin, said
from support import ROOT

from policy_engine.approvals import SqliteApprovals
from policy_engine.database import Database, Schema
from policy_engine.errors import StoreError

NOTES = Schema("notes", 77, 1, ("CREATE TABLE notes (text TEXT)",))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "notes.db"


def notes(database):
    with database.reading as connection:
        return [text for (text,) in connection.execute("SELECT text FROM notes")]


def note(database, text):
    with database.writing as connection:
        connection.execute("INSERT INTO notes VALUES (?)", (text,))


def names(path):
    return sorted(file.name for file in path.parent.iterdir())


def refused(act, message, hint=None):
    with pytest.raises(StoreError) as caught:
        act()
    assert caught.value.message == message
    if hint is not None:
        assert caught.value.hint == hint
        assert str(caught.value) == f"{message}\n  hint: {hint}"


# What a file is


def test_a_file_is_made_for_its_owner_alone(path):
    old = os.umask(0)
    try:
        database = Database(path, NOTES)
        note(database, "a")
        for name in names(path):
            assert (path.parent / name).stat().st_mode & 0o777 == 0o600, name
        assert names(path) == ["notes.db", "notes.db-shm", "notes.db-wal"]
    finally:
        os.umask(old)


@pytest.mark.parametrize(("durability", "synchronous"), [("normal", 1), ("full", 2)])
def test_a_file_is_kept_as_safely_as_asked(path, durability, synchronous):
    with Database(path, NOTES, durability=durability).reading as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (synchronous,)


def test_a_durability_that_is_none_is_refused(path):
    refused(
        lambda: Database(path, NOTES, durability="safe"),
        '"safe" is not a durability',
        'write "normal" or "full"',
    )
    assert not path.exists()


@pytest.mark.parametrize("name", ["", ":memory:"])
def test_what_lasts_needs_a_file(name):
    refused(
        lambda: Database(name, NOTES),
        "notes that last need a file",
        "give a path; what need not last is kept by the store in memory",
    )


def test_another_folder_later_is_no_other_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    database = Database("notes.db", NOTES)
    note(database, "a")
    database.close()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert notes(database) == ["a"]
    assert not list(Path().iterdir())


def test_a_file_in_no_folder_is_refused(tmp_path):
    refused(
        lambda: Database(tmp_path / "none" / "a.db", NOTES),
        f'"{tmp_path}/none/a.db" cannot be made: no such file or directory',
        f'create the folder "{tmp_path}/none"',
    )


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(StoreError, match="unable to open database file"):
        Database(tmp_path, NOTES)


@pytest.mark.parametrize("text", ["policy: desk\n", "x" * 5000])
def test_a_file_of_something_else_is_refused_and_left_alone(path, text):
    path.write_text(text)
    refused(
        lambda: Database(path, NOTES),
        f'"{path}" is not a database: file is not a database',
        "give a path where there is no file yet",
    )
    assert path.read_text() == text
    assert names(path) == ["notes.db"]


def test_a_database_of_something_else_is_refused_and_left_alone(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mine (a)")
    connection.close()
    before = path.read_bytes()
    refused(
        lambda: Database(path, NOTES),
        f'"{path}" is a database, but does not hold notes',
        "give each store a file of its own",
    )
    assert path.read_bytes() == before


def test_one_store_does_not_take_the_file_of_another(path):
    Database(path, NOTES)
    refused(lambda: SqliteApprovals(path), f'"{path}" is a database, but does not hold approvals')


def test_a_file_of_a_newer_version_is_refused(path):
    Database(path, Schema("notes", 77, 2, NOTES.script))
    refused(
        lambda: Database(path, NOTES),
        f'"{path}" is of version 2, and this policy-engine knows version 1',
        "a newer policy-engine wrote it: update this one",
    )


def test_a_file_whose_making_was_cut_off_is_made(path):
    path.touch()
    note(Database(path, NOTES), "a")
    broken = Schema("notes", 77, 1, (*NOTES.script, "CREATE nonsense"))
    other = path.with_name("other.db")
    with pytest.raises(StoreError, match="syntax error"):
        Database(other, broken)
    assert notes(Database(other, NOTES)) == []


# All or nothing


def test_what_raised_is_undone(path):
    database = Database(path, NOTES)
    note(database, "a")

    def delete():
        with database.writing as connection:
            connection.execute("DELETE FROM notes")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        delete()
    assert notes(database) == ["a"]


def test_what_sqlite_raises_is_said_and_undone(path):
    database = Database(path, NOTES)

    def insert():
        with database.writing as connection:
            connection.execute("INSERT INTO notes VALUES ('a')")
            connection.execute("INSERT INTO none_such VALUES ('a')")

    refused(insert, f'"{path}" cannot be used: no such table: none_such')
    assert notes(database) == []


def test_a_transaction_that_was_cut_off_is_undone(path):
    database = Database(path, NOTES)
    connection = database.enter("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO notes VALUES ('a')")
    # As where an interrupt came before anybody could end it.
    database._is_inside = False
    database._lock.release()
    assert notes(database) == []


def test_a_transaction_inside_another_is_refused(path):
    database = Database(path, NOTES)
    with database.writing as connection:
        connection.execute("INSERT INTO notes VALUES ('a')")
        refused(
            lambda: notes(database), f'"{database.path}" is used inside a transaction of its own'
        )
    assert notes(database) == ["a"]


def test_a_connection_closed_inside_a_transaction_is_an_error(path):
    database = Database(path, NOTES)
    with pytest.raises(StoreError, match="was closed inside a transaction"), database.writing:
        database.close()
    note(database, "a")
    assert notes(database) == ["a"]


def test_a_closed_file_is_opened_again(path):
    database = Database(path, NOTES)
    note(database, "a")
    database.close()
    assert names(path) == ["notes.db"]
    assert notes(database) == ["a"]
    assert repr(database) == f"Database({str(path)!r}, 'notes', 'normal')"


def test_threads_take_turns(path):
    database = Database(path, NOTES)

    def write(name):
        for number in range(50):
            with database.writing as connection:
                (before,) = connection.execute("SELECT count(*) FROM notes").fetchone()
                connection.execute("INSERT INTO notes VALUES (?)", (f"{name}{number} {before}",))

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [int(text.split()[1]) for text in notes(database)] == list(range(200))


# What goes wrong


def test_a_file_that_is_locked_is_said(path):
    database = Database(path, NOTES, timeout=0.1)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    refused(
        lambda: note(database, "a"),
        f'"{path}" is locked: database is locked',
        "another process has been writing for more than 0.1 seconds",
    )
    assert 0.05 < time.monotonic() - began < 5
    assert notes(database) == [], "who reads does not wait"
    holder.execute("ROLLBACK")
    note(database, "a")
    holder.close()


def test_a_lock_that_is_let_go_in_time_is_waited_for(path):
    database = Database(path, NOTES, timeout=30)
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.1, lambda: holder.execute("ROLLBACK"))
    timer.start()
    note(database, "a")
    timer.join()
    holder.close()
    assert notes(database) == ["a"]


def test_a_file_that_is_locked_when_it_is_opened_is_waited_for_and_said(path):
    Database(path, NOTES).close()
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    refused(
        lambda: Database(path, NOTES, timeout=0.1),
        f'"{path}" is locked: database is locked',
        "another process has been writing for more than 0.1 seconds",
    )
    timer = threading.Timer(0.1, holder.close)
    timer.start()
    note(Database(path, NOTES, timeout=30), "a")
    timer.join()


def test_a_full_database_is_said_and_nothing_is_half_done(path):
    store = SqliteApprovals(path, clock=Clock())
    (found,), _ = asked(store)
    with store._database.reading as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages + 2}")
    refused(
        lambda: asked(store, session="s2", args={"a": "x" * 20_000}),
        f'"{path}" has no room: database or disk is full',
        "make room on the disk",
    )
    assert store.pending() == [found]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
def test_a_disk_that_ends_is_said_and_what_was_kept_is_kept(path):
    other = begin("no_room", path)
    (kept, message), last = said(other)
    assert kept > 5
    assert message.startswith((f'"{path}" has no room', f'"{path}" cannot be read or written'))
    assert last == ["all kept"]
    assert len(SqliteApprovals(path, clock=Clock()).pending()) == kept


@pytest.mark.skipif(sys.platform == "win32", reason="rights are others there")
@pytest.mark.parametrize("is_new", [False, True])
def test_a_file_that_may_not_be_written_is_said(is_new):
    folder = Path(tempfile.mkdtemp())
    path = folder / "a.db"
    try:
        if not is_new:
            SqliteApprovals(path).close()
            path.chmod(0o444)
        folder.chmod(0o555)
        ((message, hint),) = said(begin("read_only", path))
        if is_new:
            assert message == f'"{path}" cannot be made: permission denied'
        else:
            assert message.startswith(f'"{path}" cannot be')
            assert hint.startswith("the process may not write the file and its folder")
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_damaged_file_is_said(path):
    store = SqliteApprovals(path, clock=Clock())
    for number in range(50):
        asked(store, session=f"s{number}", args={"a": "x" * 2000})
    store.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    with pytest.raises(StoreError, match="is damaged"):
        SqliteApprovals(path, clock=Clock()).ask(needing(gate(), session="s60"), START)


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_file_that_is_taken_away_is_said_until_it_is_back(path, is_replaced):
    database = Database(path, NOTES)
    note(database, "a")
    kept = path.with_name("kept.db")
    path.rename(kept)
    if is_replaced:
        path.touch()
    for act in (lambda: notes(database), lambda: note(database, "b")):
        refused(
            act,
            f'"{path}" was moved, removed or replaced while it was in use',
            "put it back, or restart the process to begin with the file that is there",
        )
    assert is_replaced or not path.exists(), "no second file is begun"
    path.unlink(missing_ok=True)
    kept.rename(path)
    assert notes(database) == ["a"]


def test_a_closed_file_that_was_replaced_meanwhile_is_not_opened(path):
    database = Database(path, NOTES)
    database.close()
    path.unlink()
    note(Database(path, NOTES), "other")
    with pytest.raises(StoreError, match="was moved, removed or replaced"):
        notes(database)


def test_a_file_whose_contents_were_replaced_meanwhile_is_not_opened(path):
    database, other = Database(path, NOTES), path.with_name("other.db")
    note(database, "a")
    Database(other, NOTES).close()
    database.close()
    path.write_bytes(other.read_bytes())
    with pytest.raises(StoreError, match="was moved, removed or replaced"):
        notes(database)


@pytest.mark.skipif(os.name != "posix", reason="SQLite has no such disk to try there")
def test_a_disk_without_shared_memory_is_refused(path, monkeypatch):
    connect = sqlite3.connect

    def connect_to_network_disk(path, **options):
        return connect(f"file:{path}?vfs=unix-dotfile", uri=True, **options)

    monkeypatch.setattr(sqlite3, "connect", connect_to_network_disk)
    refused(
        lambda: Database(path, NOTES),
        f'"{path}" cannot be shared between processes where it is',
        "put it on a local disk: SQLite's WAL mode does not work there",
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_while_others_ring_leaves_the_child_with_a_bell(path):
    store = SqliteApprovals(path, clock=Clock())
    (found,), _ = asked(store)
    with store._bell._changed:  # as where another thread is about to wake somebody
        child = os.fork()
        if not child:
            signal.alarm(30)
            store.approve(found.id, by=F1)
            os._exit(0 if store.wait([found.id], 0) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert store.get(found.id).status == "approved"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_inside_a_transaction_breaks_it_and_nothing_else(path):
    database = Database(path, NOTES)

    def fork():
        with database.writing as connection:
            connection.execute("INSERT INTO notes VALUES ('a')")
            child = os.fork()
            if not child:
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0

    refused(fork, f'"{path}" was closed inside a transaction')
    assert notes(database) == []


def test_sqlite_is_imported_by_who_asks_for_it():
    script = (
        "import sys, policy_engine.guard, policy_engine.state, policy_engine.approvals as a;"
        "print('sqlite3' in sys.modules, a.SqliteApprovals.__name__, 'sqlite3' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == ["False", "SqliteApprovals", "True"]


def test_a_name_that_is_none_is_none():
    import policy_engine.approvals

    with pytest.raises(AttributeError, match="NoApprovals"):
        _ = policy_engine.approvals.NoApprovals
