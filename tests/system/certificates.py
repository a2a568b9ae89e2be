# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests, made by openssl: an authority in a test's folder, and what it issues.

    authority = certificates.Authority(self.folder)
    server = authority.issue('server')             # server.certificate, server.key: paths
"""
import collections
import functools
import pathlib
import shutil
import ssl
import subprocess
import tempfile

import support

Pair = collections.namedtuple('Pair', 'certificate key')
EC = ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256')
RSA = ('-newkey', 'rsa:2048')


def openssl(folder, *arguments, stdin=None):
    done = subprocess.run(['openssl', *map(str, arguments)], cwd=folder, capture_output=True, input=stdin)
    if done.returncode:
        raise AssertionError(f'openssl {" ".join(map(str, arguments))}:\n{done.stderr.decode("utf-8", "replace")}')
    return done.stdout


class Authority:
    def __init__(self, folder, name='authority'):
        support.need_command('openssl', 'it makes the certificates')
        self.folder = pathlib.Path(folder)
        self.certificate, self.key = self.folder / f'{name}.crt', self.folder / f'{name}.key'
        openssl(folder, 'req', '-x509', *EC, '-nodes', '-days', 30, '-subj', f'/CN={name}', '-keyout', self.key,
                '-out', self.certificate, '-addext', 'basicConstraints=critical,CA:TRUE')

    def issue(self, name, alternative='DNS:localhost,IP:127.0.0.1', kind=EC, days=30, subject=None):
        """days below 0: it has expired."""
        certificate, key = self.folder / f'{name}.crt', self.folder / f'{name}.key'
        request = openssl(self.folder, 'req', '-new', *kind, '-nodes', '-subj', subject or f'/O=Tests/CN={name}',
                          '-keyout', key, '-addext', f'subjectAltName={alternative}')
        with tempfile.NamedTemporaryFile(dir=self.folder) as made:
            openssl(self.folder, 'x509', '-req', '-CA', self.certificate, '-CAkey', self.key, '-CAcreateserial', '-days',
                    days, '-copy_extensions', 'copy', '-out', made.name, stdin=request)
            shutil.copy(made.name, certificate)
        return Pair(certificate, key)

    def client_context(self, pair=None, version=None, verify=True):
        context = ssl.create_default_context(cafile=self.certificate) if verify else ssl._create_unverified_context()
        context.check_hostname = verify
        if pair:
            context.load_cert_chain(*pair)
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def server_context(self, pair, mutual=False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        if mutual:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.certificate)
        return context


def key_forms(folder, kind, name='forms'):
    """A certificate, and its key in every form that openssl writes: {form: (path, passphrase)}."""
    authority = Authority(folder)
    pair = authority.issue(name, kind=kind)
    make = functools.partial(openssl, folder)
    secret = 'pass:open sesame'
    old = 'rsa' if kind is RSA else 'ec'
    forms = {'PKCS#8': (pair.key, None)}
    for form, arguments in {
            'traditional': (old, '-in', pair.key, *(('-traditional',) if old == 'rsa' else ())),
            'traditional, encrypted': (old, '-in', pair.key, '-aes128', '-passout', secret,
                                       *(('-traditional',) if old == 'rsa' else ())),
            'PKCS#8, encrypted': ('pkcs8', '-topk8', '-in', pair.key, '-v2', 'aes-256-cbc', '-passout', secret),
            'PKCS#8, encrypted the old way': ('pkcs8', '-topk8', '-in', pair.key, '-v1', 'PBE-SHA1-3DES', '-passout', secret),
    }.items():
        path = pathlib.Path(folder) / f'{len(forms)}.key'
        make(*arguments, '-out', path)
        forms[form] = (path, 'open sesame' if 'encrypted' in form else None)
    return authority, pair.certificate, forms
