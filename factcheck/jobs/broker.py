"""kombu's broker in the file system, made safe for several processes.

kombu writes a message into the folder where others look for messages. Who looks in between takes half of one, and the
JSON error ends the whole worker. Here a message is written beside the folder and moved into it when it is whole, and
one that still cannot be read is passed over: a message only says that there is work, and the rows hold the work.
"""

import json
import logging
import uuid
from pathlib import Path
from queue import Empty
from time import monotonic
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps

logger = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **_options: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        # No name of a message: kombu looks for what ends in ".<queue>.msg".
        draft = folder / f"{name}.draft"
        try:
            draft.write_bytes(dumps(payload).encode())
            draft.rename(folder / name)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise ChannelError(f"Cannot add file {name!r} to directory") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        while True:
            try:
                return super()._get(queue)
            except Empty:
                raise
            except (json.JSONDecodeError, UnicodeDecodeError):
                logger.warning("A message of the queue %s could not be read and is passed over.", queue)


class Transport(filesystem.Transport):
    Channel = Channel
