"""Where a response ends, beyond what the transport's own libraries let through."""

import io

import pytest

from factcheck.outbound.messages import Body, Broken, read_head


@pytest.mark.parametrize("lengths", ["Content-Length: 2\r\nContent-Length: 3\r\n", "Content-Length: 2, 3\r\n"])
def test_lengths_that_differ_say_nothing(lengths):
    stream = io.BytesIO(f"HTTP/1.1 200 OK\r\n{lengths}\r\nabcd".encode())

    assert b"".join(Body(stream, read_head(stream))) == b"abcd"


def test_a_coding_around_the_chunks_is_read_until_the_connection_ends():
    stream = io.BytesIO(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n2\r\nab\r\n0\r\n\r\n")

    assert b"".join(Body(stream, read_head(stream))) == b"2\r\nab\r\n0\r\n\r\n"


@pytest.mark.parametrize("size", [b"-1", b"+2", b"0x2", b"2 2", b"", b" ", b"1" * 16, "２".encode()])
def test_a_chunk_size_that_is_no_plain_hexadecimal_number_ends_the_message(size):
    stream = io.BytesIO(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\nab\r\n0\r\n\r\n")

    with pytest.raises(Broken):
        list(Body(stream, read_head(stream)))


def test_countless_trailers_end_the_message():
    stream = io.BytesIO(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 200 + b"\r\n")

    with pytest.raises(Broken):
        list(Body(stream, read_head(stream)))
