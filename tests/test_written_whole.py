from __future__ import annotations

import errno

import pytest

from vsseval.files import written_whole


def test_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with written_whole(path) as partial:
        partial.write_text("one")
        assert not path.exists()
    assert path.read_text() == "one"
    for error in (OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught:
            _break_off(path, error)
        assert path.read_text() == "one"
        assert list(path.parent.iterdir()) == [path]
        if isinstance(error, OSError):
            assert str(caught.value) == f"[Errno {errno.ENOSPC}] No space left on device: '{path}'"


def _break_off(path, error):
    with written_whole(path) as partial:
        partial.write_text("half")
        raise error
