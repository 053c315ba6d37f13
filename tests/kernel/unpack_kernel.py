#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Unpack a Debian vmlinuz: the kernel as QEMU boots it fastest, and its BTF. Prints its release.

usage: unpack_kernel.py VMLINUZ KERNEL_OUT BTF_OUT

x86: bzImage -> ELF vmlinux.  arm64: Image, gzip'ed Image or EFI zboot -> Image.
"""
import gzip
import lzma
import re
import struct
import subprocess
import sys

BTF_MAGIC = b"\x9f\xeb\x01\x00"  # magic, version 1, no flags
SMALLEST_BTF = 1 << 20


class NotAKernel(Exception):
    pass


def tool(command, data):
    """A decompressor that Python lacks. It may complain about trailing bytes, not about the data."""
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout


DECOMPRESSORS = [
    (b"\x1f\x8b", gzip.decompress),
    (b"\xfd7zXZ\x00", lzma.decompress),
    (b"\x28\xb5\x2f\xfd", lambda data: tool(["zstd", "-dcq"], data)),
    (b"\x02\x21\x4c\x18", lambda data: tool(["lz4", "-dcq"], data)),
]


def decompress(payload):
    for magic, function in DECOMPRESSORS:
        if payload.startswith(magic):
            return function(payload)
    raise NotAKernel(f"unknown compression, starts with {payload[:6].hex()}")


def x86_payload(image):
    """The compressed vmlinux inside a bzImage (boot protocol 2.08 and later)."""
    setup_sectors = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    payload = image[start : start + length]
    # The build appends the unpacked size; in gzip it is part of the format.
    return payload if payload.startswith(b"\x1f\x8b") else payload[:-4]


def unpack(image):
    if image[0x202:0x206] == b"HdrS":
        kernel = decompress(x86_payload(image))
        if not kernel.startswith(b"\x7fELF"):
            raise NotAKernel("the bzImage holds no ELF file")
        return kernel
    if image[:2] == b"MZ" and image[4:8] == b"zimg":
        offset, length = struct.unpack_from("<II", image, 8)
        image = decompress(image[offset : offset + length])
    elif image[:2] == b"\x1f\x8b":
        image = gzip.decompress(image)
    if image[56:60] != b"ARM\x64":
        raise NotAKernel("neither a bzImage nor an arm64 Image")
    return image


def find_btf(kernel):
    """The largest well-formed BTF blob; an arm64 Image has no section headers to ask."""
    best = b""
    at = kernel.find(BTF_MAGIC)
    while at >= 0:
        header, _, types, strings_at, strings = struct.unpack_from("<5I", kernel, at + 4)
        end = at + header + strings_at + strings
        if 24 <= header <= 64 and types > SMALLEST_BTF and end <= len(kernel):
            best = max(best, kernel[at:end], key=len)
        at = kernel.find(BTF_MAGIC, at + 1)
    if not best:
        raise NotAKernel("the kernel carries no BTF")
    return best


def find_release(kernel):
    banner = re.search(rb"Linux version (\S+) \(", kernel)
    if not banner:
        raise NotAKernel("the kernel does not name its version")
    return banner.group(1).decode()


def main(vmlinuz, kernel_out, btf_out):
    with open(vmlinuz, "rb") as file:
        image = file.read()
    try:
        kernel = unpack(image)
        btf = find_btf(kernel)
        release = find_release(kernel)
    except (NotAKernel, struct.error, OSError, EOFError, lzma.LZMAError) as error:
        sys.exit(f"unpack_kernel: {vmlinuz}: {error}")
    for path, data in ((kernel_out, kernel), (btf_out, btf)):
        with open(path, "wb") as file:
            file.write(data)
    print(release)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
