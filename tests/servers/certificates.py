"""A certificate that nobody trusts, for 127.0.0.1 and localhost, made afresh."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificate:
    """A certificate that is its own authority, and its key, in PEM."""

    certificate: str
    key: str

    def context(self, folder: Path) -> ssl.SSLContext:
        """TLS for a server with this certificate."""
        chain = folder / "server.pem"
        chain.write_text(self.certificate + self.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context

    def asking(self, folder: Path, client: "Certificate", mode: ssl.VerifyMode) -> ssl.SSLContext:
        """The same for a server that asks its clients for a certificate."""
        context = self.context(folder)
        context.verify_mode = mode
        context.load_verify_locations(cadata=client.certificate)
        return context

    def locked_key(self, password: bytes) -> str:
        """The key, in PEM that opens with a password only."""
        private = serialization.load_pem_private_key(self.key.encode(), None)
        locked = serialization.BestAvailableEncryption(password)
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return private.private_bytes(encoding, form, locked).decode()


def self_signed(
    age: timedelta = timedelta(), host: str = "localhost", *, is_authority: bool = True
) -> Certificate:
    """A certificate for 127.0.0.1 and a host, valid for a day from its age ago."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    start = datetime.now(UTC) - age - timedelta(minutes=5)
    names = x509.SubjectAlternativeName([x509.DNSName(host), x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Certificate(
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    )
