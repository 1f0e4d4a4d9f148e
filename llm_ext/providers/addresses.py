"""Which addresses are of this machine: pure."""

import ipaddress
from urllib.parse import urlsplit


def is_away(url: str) -> bool:
    """Return whether ``url`` is of another machine, as far as the text tells."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"
