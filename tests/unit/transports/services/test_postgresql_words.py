"""What libpq's and a server's words about a failure mean."""

import pytest

from quorate.model import Reason
from quorate.transports.postgresql_words import login_failure, query_failure

_AT = b'connection to server at "192.0.2.210", port 5000 failed: '


_TOO_MANY = _AT + b"FATAL:  53300: sorry, too many clients already\n"
_WRONG_PASSWORD = _AT + b'FATAL:  28P01: password authentication failed for user "x"\nLOCATION:  auth.c:334\n'
_NO_ENTRY = _AT + b'FATAL:  28000: no pg_hba.conf entry for host "192.0.2.9", no encryption\n'
_REFUSED = _AT + b"Connection refused\n\tIs the server running on that host and accepting connections?\n"
_CLOSED = (
    _AT + b"server closed the connection unexpectedly\n"
    b"\tThis probably means the server terminated abnormally\n\tbefore or while processing the request.\n"
)


@pytest.mark.parametrize(
    ("message", "reason", "detail"),
    [
        (_WRONG_PASSWORD, Reason.AUTH_FAILED, 'FATAL: password authentication failed for user "x" (here)'),
        (_AT + "FATAL:  28P01: für »x«\n".encode(), Reason.AUTH_FAILED, "FATAL: für »x« (here)"),
        (_AT + b"FATAL:  password authentication failed\n", Reason.AUTH_FAILED, "FATAL: password"),
        (_AT + b"FATAL:  42501: no\nDETAIL:  Why.\n", Reason.AUTH_FAILED, "FATAL: no / DETAIL: Why. (here)"),
        (_AT + b"FATAL:  3D000: no database\n", Reason.CONNECT_FAILED, "FATAL: no database (here)"),
        (_AT + b"FATAL:  57P03: starting up\n", Reason.CONNECT_FAILED, "FATAL: starting up (here)"),
        (_TOO_MANY, Reason.CONNECT_FAILED, "FATAL: sorry, too many clients already (here)"),
        (_TOO_MANY + _TOO_MANY, Reason.CONNECT_FAILED, "FATAL: sorry, too many clients already (here)"),
        (_REFUSED, Reason.CONNECT_FAILED, "Connection refused (here)"),
        (_CLOSED, Reason.CONNECT_FAILED, "server closed the connection unexpectedly (here)"),
        (
            _WRONG_PASSWORD + _NO_ENTRY,
            Reason.AUTH_FAILED,
            'FATAL: password authentication failed for user "x"; FATAL: no pg_hba.conf entry for host ',
        ),
        (b"", Reason.CONNECT_FAILED, "the login failed without a word (here)"),
        (b"\xff\xfe", Reason.CONNECT_FAILED, "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_login_that_failed(message: bytes, reason: Reason, detail: str) -> None:
    failure = login_failure(message, "here")

    assert (failure.reason, failure.detail[: len(detail)]) == (reason, detail)
    assert "\n" not in failure.detail


@pytest.mark.parametrize(
    ("message", "reason", "answered"),
    [
        (_REFUSED, Reason.CONNECT_FAILED, True),
        (_CLOSED, Reason.CONNECT_FAILED, True),
        (_AT + b"No route to host\n\tIs the server running on that host?\n", Reason.CONNECT_FAILED, False),
        (_AT + b"Network is unreachable\n", Reason.CONNECT_FAILED, False),
        (_AT + b"could not create socket: Too many open files\n", Reason.INTERNAL_ERROR, False),
        (_AT + b"FATAL:  28000: Permission denied\n", Reason.AUTH_FAILED, True),
        (_AT + b"FATAL:  XX000: No route to host\n", Reason.CONNECT_FAILED, True),
    ],
)
def test_whether_anything_answered(message: bytes, reason: Reason, answered: bool) -> None:
    failure = login_failure(message, "here")

    assert (failure.reason, failure.answered) == (reason, answered)


def test_a_login_that_a_password_is_missing_for() -> None:
    assert login_failure(b"keins da", "here", needs_password=True).reason is Reason.AUTH_FAILED


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("42P01", Reason.QUERY_FAILED),
        ("42501", Reason.QUERY_FAILED),
        ("08P01", Reason.QUERY_FAILED),
        ("53100", Reason.QUERY_FAILED),
        ("25006", Reason.READ_ONLY),
        ("57014", Reason.TIMEOUT),
        ("57P01", Reason.CONNECT_FAILED),
        ("57P02", Reason.CONNECT_FAILED),
        ("08006", Reason.CONNECT_FAILED),
        (None, Reason.CONNECT_FAILED),
    ],
)
def test_an_error_in_a_session(code: str | None, reason: Reason) -> None:
    failure = query_failure(code, "ERROR: so it is")

    assert failure.reason is reason
    assert failure.detail.startswith("ERROR: so it is")
