"""Becomes ffmpeg, within the walls of every child: a film by standard input, small grey pictures by standard output."""

from __future__ import annotations

import os
import sys

from . import limits
from .looks import SIDE

FRAMES_MAX = 20


def main() -> None:
    """Arguments: the path of ffmpeg, the name of its reader for this kind of film, and seconds between pictures."""
    program, reader, apart = sys.argv[1:4]
    limits.put_up(threads=True)
    # Without a shell: the file's words never reach a command line.
    os.execv(  # noqa: S606
        program,
        [
            *(program, "-nostdin", "-loglevel", "quiet", "-threads", "1", "-filter_threads", "1"),
            # One reader, and nothing that a film may name elsewhere.
            *("-protocol_whitelist", "file", "-format_whitelist", reader, "-f", reader),
            *("-skip_frame", "nokey", "-i", "file:/dev/stdin", "-map", "0:v:0", "-fps_mode", "passthrough"),
            "-vf",
            f"select=isnan(prev_selected_t)+gte(t-prev_selected_t\\,{apart}),scale={SIDE}:{SIDE}:flags=area,format=gray",
            *("-frames:v", str(FRAMES_MAX), "-flush_packets", "1", "-f", "rawvideo", "pipe:1"),
        ],
    )
