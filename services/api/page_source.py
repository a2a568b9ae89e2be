#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the C source of the API's page: page_source.py page.html > api_page.c

The page is one file with its style and its script inside. A browser may use these two only, by their digests, and ask only where
the page came from; the policy that says so is made here, so that it always fits."""
import base64
import hashlib
import re
import sys


def digest(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def the_one(page, tag):
    found = re.findall(rf'<{tag}>(.*?)</{tag}>', page, re.S)
    if len(found) != 1:
        sys.exit(f'page_source.py: the page has {len(found)} plain <{tag}>, not one')
    return found[0]


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        page = file.read()
    policy = '; '.join((
        "default-src 'none'", f"style-src {digest(the_one(page, 'style'))}", f"script-src {digest(the_one(page, 'script'))}",
        "connect-src 'self'", 'img-src data:', "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"))
    data = page.encode()
    print('/* Made of page.html by page_source.py. */\n#include "services/api/api_private.h"\n')
    print(f'const size_t api_page_bytes = {len(data)};\nconst char api_page_policy[] = "{policy}";\nconst char api_page[] = {{')
    signed = [byte - 256 if byte > 127 else byte for byte in data]
    for at in range(0, len(signed), 32):
        print(','.join(map(str, signed[at:at + 32])) + ',')
    print('};')


main()
