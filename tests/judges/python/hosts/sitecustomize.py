"""Leads the vendor's host names to this machine. JUDGED_PORTS is a JSON object: the port by the host name; names of buckets stand before it."""

import json
import os
import socket

_ports = json.loads(os.environ["JUDGED_PORTS"])
_getaddrinfo = socket.getaddrinfo


def _port_of(host):
    name = host.decode() if isinstance(host, bytes) else str(host)
    for vendor_host, port in _ports.items():
        if name == vendor_host or name.endswith("." + vendor_host):
            return port
    return None


def _lookup(host, port, *args, **kwargs):
    local = _port_of(host)
    return _getaddrinfo(host, port, *args, **kwargs) if local is None else _getaddrinfo("127.0.0.1", local, *args, **kwargs)


_gethostbyname = socket.gethostbyname


def _address(host):
    return _gethostbyname(host) if _port_of(host) is None else "127.0.0.1"


socket.getaddrinfo = _lookup
socket.gethostbyname = _address
