"""A data directory for one run."""

import os
import signal
from pathlib import Path

import pytest

from broker.cli.ephemeral import PREFIX, ephemeral_directory
from broker.cli.failures import UsageError
from broker.cli.serve_command import serve


def test_a_database_is_not_ephemeral(monkeypatch) -> None:
    """Wherever its URL came from: what was stored there would stay."""
    with pytest.raises(UsageError, match="names a database that stays"):
        serve(ephemeral=True, store="postgresql://db/waypost")
    monkeypatch.setenv("WAYPOST_STORE__URL", "postgresql://db/waypost")
    with pytest.raises(UsageError, match="names a database that stays"):
        serve(ephemeral=True)


def test_the_directory_is_private_and_goes_away() -> None:
    """With all that is in it."""
    with ephemeral_directory() as directory:
        (directory / "waypost.db").touch()
        assert (True, 0o700) == (directory.name.startswith(PREFIX), directory.stat().st_mode & 0o777)
    assert not directory.exists()


def ended_by_sigterm(made: list[Path]) -> None:
    """A run that SIGTERM meets while the broker is still starting."""
    with ephemeral_directory() as directory:
        made.append(directory)
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()


def test_sigterm_before_the_broker_handles_it_leaves_nothing_behind() -> None:
    """The exit code is the one that a shell gives for the signal, and the handler is as before."""
    before, made = signal.getsignal(signal.SIGTERM), []
    with pytest.raises(SystemExit) as end:
        ended_by_sigterm(made)
    assert (143, [False]) == (end.value.code, [each.exists() for each in made])
    assert before == signal.getsignal(signal.SIGTERM)


def test_a_directory_to_keep_and_one_to_remove_contradict_each_other(tmp_path) -> None:
    """Whichever was meant, the other would be a loss."""
    with pytest.raises(UsageError, match="--data-dir"):
        serve(data_dir=tmp_path, ephemeral=True)
