#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes base/text/case_map_table.h from Python's Unicode database: python3 base/case_map_table.py > base/text/case_map_table.h"""
import sys
import unicodedata


def mapping(name):
    """Code point -> text, for those that change."""
    found = {}
    for code in range(0x80, 0x110000):
        if 0xD800 <= code <= 0xDFFF:
            continue
        text = getattr(chr(code), name)()
        if text != chr(code):
            found[code] = text
    return found


def ranges(found):
    """Runs of single code points with one distance, each or every second of them."""
    runs = []
    for code, text in sorted(found.items()):
        if len(text) != 1:
            continue
        delta = ord(text) - code
        if runs:
            run = runs[-1]
            step = code - run[1]
            fits = run[2] == delta and (step == run[3] or (run[0] == run[1] and step in (1, 2)))
            if fits:
                run[1], run[3] = code, step
                continue
        runs.append([code, code, delta, 1])
    return runs


def print_ranges(name, found):
    print(f"static const struct case_range {name}[] = {{")
    for first, last, delta, step in ranges(found):
        print(f"    {{0x{first:X}, 0x{last:X}, {delta}, {step}}},")
    print("};\n")


def print_texts(name, found):
    print(f"static const struct case_text {name}[] = {{")
    for code, text in sorted(found.items()):
        if len(text) > 1:
            print(f"    {{0x{code:X}, \"" + "".join(f"\\x{byte:02x}" for byte in text.encode()) + "\"},")
    print("};\n")


upper, lower, title = mapping("upper"), mapping("lower"), mapping("title")
title = {code: title.get(code, chr(code)) for code in set(upper) | set(title)
         if title.get(code, chr(code)) != upper.get(code, chr(code))}
print("/* SPDX-License-Identifier: Apache-2.0")
print(" *")
print(f" * Written by base/case_map_table.py from Unicode {unicodedata.unidata_version}. Private to case_map.c.")
print(" */")
print("#ifndef MILLRACE_BASE_CASE_MAP_TABLE_H\n#define MILLRACE_BASE_CASE_MAP_TABLE_H\n")
for name, found in (("UPPER", upper), ("LOWER", lower), ("TITLE", title)):
    print_ranges(name + "_RANGES", found)
    print_texts(name + "_TEXTS", found)
print("#endif")
sys.stdout.flush()
