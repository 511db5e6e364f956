from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

_MARK = "file_was_too_large"


class UploadLimit(FileUploadHandler):
    """Lets no file through that is larger than the largest that is taken anywhere; the rest of it is not kept."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start + len(raw_data) > settings.CAPTURE_UPLOAD_MAX_BYTES:
            setattr(self.request, _MARK, True)
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The handlers behind this one have the file."""


def file_was_too_large(request: HttpRequest) -> bool:
    """Whether a file of the request was left out by the limit."""
    return bool(getattr(request, _MARK, False))
