"""What this machine must have before it can hold others."""

import pytest

from lab import LabError
from lab.requirements import require_devices


def test_a_device_that_is_not_there_is_named_with_what_to_do() -> None:
    require_devices(["/dev/null"])
    with pytest.raises(LabError, match=r"no /dev/nosuch: load its kernel module \(modprobe nosuch\)"):
        require_devices(["/dev/null", "/dev/nosuch"])
