"""Servers on loopback that say, byte by byte, what a test wants: plain, over TLS, or as a proxy."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOOPBACK = "127.0.0.1"
Talk = Callable[[socket.socket], None]


def ok(body: bytes = b"[]", *headers: bytes) -> bytes:
    """Return an answer as it goes over a connection."""
    lines = [b"HTTP/1.1 200 OK", b"Content-Type: application/json", *headers]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


def heard(connection: socket.socket) -> bytes:
    """Return what the client says, to the end of a request's head."""
    data_value = b""
    while not data_value.endswith(b"\r\n\r\n") and (data := connection.recv(65_536)):
        data_value += data
    return data_value


def saying(*pieces: bytes) -> Talk:
    """Hear a request, and answer it by these pieces."""

    def talk(connection: socket.socket) -> None:
        heard(connection)
        for piece in pieces:
            connection.sendall(piece)

    return talk


@contextmanager
def listening(talk: Talk, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Let ``talk`` have each connection to a port of loopback; close it when it is done."""
    with socket.create_server((LOOPBACK, 0)) as server:
        thread = threading.Thread(target=_serve, args=(server, talk, tls), daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _serve(server: socket.socket, talk: Talk, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_one, args=(connection, talk, tls), daemon=True).start()


def _one(plain: socket.socket, talk: Talk, tls: ssl.SSLContext | None) -> None:
    plain.settimeout(10)
    with plain, suppress(OSError, ValueError):  # a closed connection cannot be unwrapped
        if tls is None:
            talk(plain)
            return
        with tls.wrap_socket(plain, server_side=True) as connection:
            talk(connection)
            connection.unwrap()


def relaying(answer: bytes, seen: list[bytes], port: int) -> Talk:
    """Be a proxy: hear what it is asked, answer, and connect to ``port``."""

    def talk(connection: socket.socket) -> None:
        seen.append(heard(connection))
        connection.sendall(answer)
        with socket.create_connection((LOOPBACK, port)) as onward:
            back = threading.Thread(target=_pump, args=(onward, connection), daemon=True)
            back.start()
            _pump(connection, onward)
            back.join(5)

    return talk


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def certified(folder: Path, *names: str) -> tuple[Path, ssl.SSLContext]:
    """Return a certificate for ``names``, which vouches for itself, and a server that has it."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made for a test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(own)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(list(map(_general, names))), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "certificate.pem").write_bytes(pem)
    (folder / "both.pem").write_bytes(secret + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "both.pem")
    return folder / "certificate.pem", server


def _general(name: str) -> x509.GeneralName:
    return x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
