"""What a simulated web server of one page answers."""

from dataclasses import dataclass, field

from quorate.simulation.services.site import Request, Response, basic


@dataclass(frozen=True, kw_only=True, slots=True)
class PageSite:
    """A server that answers every request alike, `after` seconds; with a `user`, to that one alone."""

    status: int = 200
    body: str = "ok\n"
    after: float = 0.0
    user: str | None = None
    password: str = field(default="", repr=False)

    def answer(self, request: Request) -> Response | None:
        """Return the answer to a request."""
        if self.user is not None and request.headers.get("authorization") != basic(self.user, self.password):
            return Response(status=401, body=b"401 Unauthorized\n", content="text/plain")
        return Response(status=self.status, body=self.body.encode(), content="text/plain", after=self.after)
