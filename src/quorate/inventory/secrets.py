"""Where a secret is to be had, as the model says it."""

from quorate.inventory.entries import SecretEntry
from quorate.model import Secret


def secret(entry: SecretEntry) -> Secret:
    """Return the model's Secret of an entry that has exactly one key."""
    return Secret(**{key: getattr(entry, key) for key in entry.model_fields_set})
