"""AES-256-GCM for files at rest, by ``cryptography``: an extra of the package, imported when a key is set."""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gossamer.node.persist.sealed.form import NAME_SIZE
from gossamer.node.persist.sealed.key import Cipher, Key, Tampered


class AesCipher(Cipher):
    def __init__(self, key: bytes) -> None:
        self._aes = AESGCM(key)

    def seal(self, nonce: bytes, data: bytes, extra: bytes) -> bytes:
        return self._aes.encrypt(nonce, data, extra)

    def open(self, nonce: bytes, data: bytes, extra: bytes) -> bytes:
        try:
            return self._aes.decrypt(nonce, data, extra)
        except InvalidTag:
            raise Tampered from None


class AesKey(Key):
    """``secret``: 32 random bytes. It encrypts nothing itself: keys of runs and its name are derived from it."""

    def __init__(self, secret: bytes) -> None:
        super().__init__(_derived(secret, b"gossamer at rest: name", b"")[:NAME_SIZE])
        self._secret = secret

    def cipher(self, salt: bytes) -> Cipher:
        return AesCipher(_derived(self._secret, b"gossamer at rest: run", salt))


def _derived(secret: bytes, purpose: bytes, salt: bytes) -> bytes:
    """32 bytes that say nothing of ``secret``: HMAC-SHA-256 is a pseudorandom function (NIST SP 800-108)."""
    return hmac.new(secret, purpose + b"\0" + salt, hashlib.sha256).digest()
