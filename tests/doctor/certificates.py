"""Certificates for tests, made by the program openssl: an authority, and what it signs."""

import collections
import ssl
import subprocess

# ca: whom to trust; cert and key: what to show, None for nothing.
Files = collections.namedtuple("Files", "ca cert key", defaults=(None, None))


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class Authority:
    """A certificate authority that keeps all its files in a folder."""

    def __init__(self, folder, name="authority"):
        self.folder, self.name = folder, name
        self.ca, self.ca_key = folder / f"{name}.pem", folder / f"{name}.key"
        openssl("req", "-x509", *self._new_key(self.ca_key), "-days", 30, "-subj", f"/CN={name}", "-out", self.ca)

    def issue(self, name, days=30, key="ec", names="DNS:localhost,IP:127.0.0.1"):
        """Files with a certificate for `names`. The common name is `name`."""
        cert, key_file, request = (self.folder / f"{self.name}-{name}.{kind}" for kind in ("pem", "key", "csr"))
        openssl("req", *self._new_key(key_file, key), "-subj", f"/CN={name}", "-addext",
                f"subjectAltName={names}", "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.ca_key, "-CAcreateserial",
                "-copy_extensions", "copy", "-days", days, "-out", cert)
        return Files(self.ca, cert, key_file)

    @staticmethod
    def _new_key(file, kind="ec"):
        how = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] if kind == "ec" else ["rsa:2048"]
        return ["-newkey", *how, "-nodes", "-keyout", file]


def context(files, version=None):
    """What a client needs to trust the authority, and to show a certificate if there is one."""
    made = ssl.create_default_context(cafile=str(files.ca))
    if files.cert:
        made.load_cert_chain(str(files.cert), str(files.key))
    if version:
        made.minimum_version = made.maximum_version = version
    return made
