"""The broker in the file system, as several processes use it at once."""

from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection
from kombu.transport import filesystem

from factcheck.celery import app
from factcheck.jobs import broker


def channel_of(folder: Path, transport: type = broker.Transport):
    (folder / "done").mkdir()
    options = {
        "data_folder_in": str(folder),
        "data_folder_out": str(folder),
        "control_folder": str(folder / "control"),
        "processed_folder": str(folder / "done"),
        "store_processed": True,
    }
    return Connection(transport=transport, transport_options=options).channel()


def test_the_workers_use_it_when_no_server_is_configured(settings):
    if not settings.CELERY_BROKER_URL.startswith("filesystem"):
        pytest.skip("does not apply: the broker is a server")
    assert isinstance(app.connection_for_write().transport, broker.Transport)


def test_a_message_that_cannot_be_read_is_passed_over(tmp_path):
    channel = channel_of(tmp_path)
    (tmp_path / "1_torn.celery.msg").write_bytes(b"")
    (tmp_path / "2_torn.celery.msg").write_bytes(b'{"body": "ab')
    channel._put("celery", {"body": "whole"})

    assert channel._get("celery") == {"body": "whole"}
    with pytest.raises(Empty):
        channel._get("celery")


@pytest.mark.parametrize(("transport", "sizes"), [(broker.Transport, []), (filesystem.Transport, [0])])
def test_a_message_is_seen_only_when_it_is_whole(tmp_path, transport, sizes):
    """With kombu's own transport as the control: there it is seen empty."""
    channel = channel_of(tmp_path, transport)
    seen: list[int] = []

    class Looks:
        """Looks into the folder at the moment in which the message is made."""

        def __json__(self) -> str:
            seen.extend(message.stat().st_size for message in tmp_path.glob("*.celery.msg"))
            return "words"

    channel._put("celery", {"body": Looks()})

    assert seen == sizes
    assert channel._get("celery") == {"body": "words"}
