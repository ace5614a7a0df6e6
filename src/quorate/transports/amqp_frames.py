"""AMQP 0-9-1 frames out of bytes, and what a node's refusals mean: pure functions.

How frames are told apart: AMQP 0-9-1 specification, 4.2. pamqp knows what is in them.
"""

import struct

from pamqp import commands, frame
from pamqp.frame import FrameTypes
from pamqp.header import ContentHeader

from quorate.model import Reason
from quorate.transports.errors import HostError, cleaned

FRAME_BYTES = 2**17
"""The largest frame that is taken: RabbitMQ's own default for `frame_max`."""

_HEADER = struct.Struct(">BHI")  # type, channel, size of the payload
_CONTENT = struct.Struct(">HHQ")  # class, weight, size of the message; its properties follow
_CONTENT_HEADER = 2
_END = 0xCE
_TYPES = {1, 2, 3, 8}  # method, header, body, heartbeat
_PROTOCOL_HEADER = b"AMQP"
_TLS_ALERT = b"\x15\x03"
_SAMPLE_BYTES = 60

_ACCESS_REFUSED = 403
_NOT_ALLOWED = 530
_NO_ACCESS = "access to vhost"  # RabbitMQ's words; 530 is also that there is no such virtual host


def take_frame(received: bytearray) -> FrameTypes | None:
    """Take the first frame out of what was received; None until it is there as a whole.

    HostError `connect_failed` as soon as it can't become one: another protocol, another version, garbage.
    """
    if not received:
        return None
    if received[0] not in _TYPES:
        _expect_more(bytes(received))
        return None
    if len(received) < _HEADER.size:
        return None
    _, _, size = _HEADER.unpack_from(received)
    if size > FRAME_BYTES:
        raise _unreadable(f"a frame of {size} bytes")
    whole = _HEADER.size + size + 1
    if len(received) < whole:
        return None
    if received[whole - 1] != _END:
        raise _unreadable("a frame without its end")
    try:
        _, _, found = frame.unmarshal(bytes(received[:whole]))
    except Exception as error:  # noqa: BLE001  garbage makes the decoder raise whatever it stumbles over
        header = _bare_header(bytes(received[: whole - 1]))
        if header is None:
            raise _unreadable(f"a frame that makes no sense ({type(error).__name__})") from None
        found = header
    del received[:whole]
    return found


def _bare_header(frame_bytes: bytes) -> ContentHeader | None:
    """Return the header of a message without its properties; None of another frame.

    The properties are the sender's, whoever that is: what makes no sense in them is no fault of the node's.
    """
    if frame_bytes[0] != _CONTENT_HEADER or len(frame_bytes) < _HEADER.size + _CONTENT.size:
        return None
    _, _, size = _CONTENT.unpack_from(frame_bytes, _HEADER.size)
    return ContentHeader(body_size=size)


def refusal(closing: commands.Connection.Close | commands.Channel.Close, doing: str) -> HostError:
    """Return what it means that a node closes a connection or a channel, the node's own words first."""
    said = cleaned(closing.reply_text) or "closed without a word"
    refused = closing.reply_code == _ACCESS_REFUSED
    refused = refused or (closing.reply_code == _NOT_ALLOWED and _NO_ACCESS in said)
    if refused:
        reason = Reason.AUTH_FAILED
    elif isinstance(closing, commands.Channel.Close):
        reason = Reason.QUERY_FAILED
    else:
        reason = Reason.CONNECT_FAILED
    return HostError(reason, f"{said} (code {closing.reply_code}, during {doing})")


def _expect_more(received: bytes) -> None:
    """Raise HostError unless more bytes may tell better what a start that is no frame is about."""
    if received.startswith(_PROTOCOL_HEADER):
        if len(received) < 8:
            return
        version = "-".join(str(number) for number in received[5:8])
        raise HostError(Reason.CONNECT_FAILED, f"the node speaks AMQP {version}, not 0-9-1")
    if received.startswith(_TLS_ALERT):
        detail = "the port wants TLS, which this check does not speak; name the port for AMQP without TLS"
        raise HostError(Reason.CONNECT_FAILED, detail)
    if _PROTOCOL_HEADER.startswith(received) or _TLS_ALERT.startswith(received):
        return
    raise _unreadable(cleaned(received[:_SAMPLE_BYTES]) or "bytes that make no text")


def _unreadable(what: str) -> HostError:
    return HostError(Reason.CONNECT_FAILED, f"what answers does not speak AMQP; it sent: {what}")
