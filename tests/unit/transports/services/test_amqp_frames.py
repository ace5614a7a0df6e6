"""AMQP frames out of whatever bytes come, and what a node's refusals mean."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import commands, frame
from pamqp.header import ContentHeader

from quorate.model import Reason
from quorate.transports.amqp_frames import FRAME_BYTES, refusal, take_frame
from quorate.transports.errors import HostError

HEADERS = 1 << 13
"""The flag that says that a message's properties have headers."""
DEEP = b""
for _ in range(2_000):
    DEEP = (len(DEEP) + 3).to_bytes(4, "big") + b"\x01aF" + (DEEP or b"\0\0\0\0")

_TUNE = frame.marshal(commands.Connection.Tune(2047, FRAME_BYTES, 60), 0)


def test_a_frame_is_taken_when_it_is_whole() -> None:
    received = bytearray()
    for number, byte in enumerate(_TUNE + _TUNE):
        received.append(byte)
        found = take_frame(received)
        assert isinstance(found, commands.Connection.Tune) == (number in {len(_TUNE) - 1, 2 * len(_TUNE) - 1})
    assert not received


def test_what_follows_a_frame_stays() -> None:
    received = bytearray(_TUNE + _TUNE[:5])

    assert isinstance(take_frame(received), commands.Connection.Tune)
    assert received == _TUNE[:5]
    assert take_frame(received) is None


@given(st.one_of(st.binary(max_size=64), st.binary(max_size=64).map(lambda tail: _TUNE[:7] + tail)))
def test_any_bytes_are_a_frame_or_the_start_of_one_or_refused(received: bytes) -> None:
    refused = None
    try:
        take_frame(bytearray(received))
    except HostError as failure:
        refused = failure

    assert refused is None or (refused.reason is Reason.CONNECT_FAILED and refused.detail)


@pytest.mark.parametrize(
    "headers",
    [b"\0\0\0\x05\x01aF\0\0", b"\0\0\0\x03\x01a?", b"\xff\xff\xff\xff", DEEP],
    ids=["cut-off", "unknown-type", "too-long", "deep"],
)
def test_a_message_whose_properties_make_no_sense_is_still_a_message(headers: bytes) -> None:
    payload = struct.pack(">HHQH", 60, 0, 12, HEADERS) + headers
    received = bytearray(struct.pack(">BHI", 2, 1, len(payload)) + payload + b"\xce")

    found = take_frame(received)

    assert isinstance(found, ContentHeader)
    assert (found.body_size, dict(found.properties)["headers"], received) == (12, None, b"")


def test_a_message_s_header_that_is_cut_is_refused() -> None:
    with pytest.raises(HostError, match="a frame that makes no sense"):
        take_frame(bytearray(struct.pack(">BHI", 2, 1, 8) + bytes(8) + b"\xce"))


def test_a_frame_that_would_be_too_large_is_refused_at_its_header() -> None:
    header = b"\x01\0\0" + (FRAME_BYTES + 1).to_bytes(4, "big")

    assert take_frame(bytearray(header[:6])) is None
    with pytest.raises(HostError, match="a frame of 131073 bytes"):
        take_frame(bytearray(header))


@pytest.mark.parametrize(
    ("closing", "reason"),
    [
        (commands.Connection.Close(403, "ACCESS_REFUSED - Login was refused", 0, 0), Reason.AUTH_FAILED),
        (
            commands.Connection.Close(530, "NOT_ALLOWED - access to vhost '/' refused", 0, 0),
            Reason.AUTH_FAILED,
        ),
        (commands.Connection.Close(530, "NOT_ALLOWED - vhost x not found", 0, 0), Reason.CONNECT_FAILED),
        (
            commands.Connection.Close(541, "INTERNAL_ERROR - access to vhost 'x': down", 0, 0),
            Reason.CONNECT_FAILED,
        ),
        (commands.Connection.Close(320, "CONNECTION_FORCED - in maintenance", 0, 0), Reason.CONNECT_FAILED),
        (commands.Connection.Close(501, "", 0, 0), Reason.CONNECT_FAILED),
        (commands.Channel.Close(403, "ACCESS_REFUSED - access to queue", 0, 0), Reason.AUTH_FAILED),
        (commands.Channel.Close(406, "PRECONDITION_FAILED", 0, 0), Reason.QUERY_FAILED),
    ],
)
def test_what_a_refusal_means(
    closing: commands.Connection.Close | commands.Channel.Close, reason: Reason
) -> None:
    failure = refusal(closing, "the login")

    assert failure.reason is reason
    said = closing.reply_text or "closed without a word"
    assert failure.detail == f"{said} (code {closing.reply_code}, during the login)"
