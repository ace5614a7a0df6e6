"""How kinds that may speak TLS are told so."""

from quorate.inventory.entries import Entry
from quorate.inventory.fields import Line, default, unset
from quorate.model import Tls


class TlsEntry(Entry):
    """How a server is spoken to over TLS."""

    verify: bool = default(True, "Whether the server's certificate must be valid, and for its name.")
    ca_file: Line = unset("File of the authorities that are trusted; without it, the system's.")
    cert_file: Line = unset("File of the certificate that is shown to the server.")
    key_file: Line = unset("File of that certificate's private key, where it is not in the same file.")
    name: Line = unset("Name that the certificate must be for, where it is not the address.")


def tls(entry: TlsEntry | None) -> Tls | None:
    """Return the model's Tls; paths are made full where the inventory is built."""
    return None if entry is None else Tls(**{key: getattr(entry, key) for key in TlsEntry.model_fields})
