"""The RS256 key that signs tokens, and its public half as JWKS."""

import base64
import hashlib
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm


class SigningKey:
    def __init__(self) -> None:
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = self._private.public_key()
        der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        thumbprint = hashlib.sha1(der).digest()  # x5t is a SHA-1 thumbprint by definition
        self.key_id = thumbprint.hex().upper()
        self.x5t = base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode()
        self._jwk: dict[str, Any] = RSAAlgorithm.to_jwk(public, as_dict=True)

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self._private, "RS256", headers={"kid": self.key_id, "x5t": self.x5t})

    def jwks(self) -> dict[str, Any]:
        jwk = {**self._jwk, "kid": self.key_id, "x5t": self.x5t, "use": "sig", "alg": "RS256"}
        jwk.pop("key_ops", None)
        return {"keys": [jwk]}
