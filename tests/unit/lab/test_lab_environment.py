"""Which of the compiled requirements a lab's machines get."""

from lab.environment import without_markers

COMPILED = """\
# a comment of the compiler
aio==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:ab
    # via other
async-timeout==5.0.1 ; python_full_version < '3.11.3' \\
    --hash=sha256:bb
    # via aio
colorama==0.4 ; sys_platform == 'win32' \\
    --hash=sha256:cc
"""


def test_a_marker_is_decided_by_the_machines_own_python() -> None:
    old = without_markers(COMPILED, {"python_full_version": "3.11.2", "sys_platform": "linux"})
    assert old == (
        "aio==1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:ab\n"
        "async-timeout==5.0.1 \\\n    --hash=sha256:bb\n"
    )
    new = without_markers(COMPILED, {"python_full_version": "3.11.7", "sys_platform": "linux"})
    assert "async-timeout" not in new
    assert "aio==1.0" in new
