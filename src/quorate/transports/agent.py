"""The SSH agent: one connection shared by all logins, and never a reason to hang."""

import asyncio
from typing import cast

import asyncssh

AGENT_LIMIT = 2.0
"""How long an agent may take for its list of keys, and for one signature."""


class Agent:
    """An ssh-agent; an agent that is missing, dead or hanging has no keys, and `problem` says why."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._client = asyncssh.SSHAgentClient(path)
        self._lock = asyncio.Lock()
        self._pairs: list[asyncssh.SSHKeyPair] | None = None
        self._hangs = False
        self.problem: str | None = None

    async def pairs(self) -> list[asyncssh.SSHKeyPair]:
        """Return the key pairs that the agent holds; they sign through this object."""
        async with self._lock:
            if self._pairs is None and not self._hangs:
                self._pairs = await self._listed()
            return self._pairs or []

    async def _listed(self) -> list[asyncssh.SSHKeyPair] | None:
        try:
            async with asyncio.timeout(AGENT_LIMIT):
                found = await self._client.get_keys()
        except TimeoutError:
            self._give_up()
            return None
        except (ValueError, OSError) as error:
            self.problem = f"the SSH agent at {self._path} can't be asked: {error}"
            self._reset()
            return None
        except asyncio.CancelledError:
            self._reset()
            raise
        self.problem = None
        # asyncssh asks a key pair's agent for nothing but `sign`, which is ours because it has a limit.
        signer = cast(asyncssh.SSHAgentClient, self)
        return [
            asyncssh.SSHAgentKeyPair(signer, p.algorithm, p.public_data, p.get_comment_bytes() or b"")
            for p in found
        ]

    async def sign(self, key_blob: bytes, data: bytes, flags: int = 0) -> bytes:
        """Return a signature; ValueError where the agent gives none, and the next key is tried."""
        async with self._lock:
            if self._hangs:
                raise ValueError(self.problem)
            try:
                async with asyncio.timeout(AGENT_LIMIT):
                    return await self._client.sign(key_blob, data, flags)
            except TimeoutError:
                self._give_up()
                raise ValueError(self.problem) from None
            except asyncio.CancelledError:
                self._reset()
                raise

    def _give_up(self) -> None:
        self._hangs = True
        self.problem = f"the SSH agent at {self._path} does not answer"
        self._reset()

    def _reset(self) -> None:
        # The connection holds half an answer, which the next request would take for its own.
        self._client.close()
        self._client = asyncssh.SSHAgentClient(self._path)

    async def aclose(self) -> None:
        """Close the connection to the agent."""
        self._client.close()
        await self._client.wait_closed()
