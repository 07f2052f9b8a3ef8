//! What is packed, by real archives: those that Rust can write are made here, the others (made with the usual tools) are in
//! `packed/`.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::*;

const ROWS: [&str; 2] = ["late", "lost"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dump/tests/packed").join(name)
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    bzip2::read::BzEncoder::new(bytes, bzip2::Compression::fast()).read_to_end(&mut packed).unwrap();
    packed
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in members {
        archive.start_file(*path, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn csv(rows: &[(u32, &str)]) -> String {
    let mut text = "id,created_at,text\n".to_owned();
    rows.iter().for_each(|(id, word)| text += &format!("{id},2015-02-17T07:48:48Z,{word}\n"));
    text
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    File::create(&path).unwrap().write_all(bytes).unwrap();
    path
}

fn texts_of(paths: &[PathBuf]) -> Result<Vec<String>, String> {
    let inputs = Inputs::expand(paths).map_err(|error| error.to_string())?;
    let mut reader = DumpReader::open(&inputs, &ReadOptions::default(), REPLAY).map_err(|error| error.to_string())?;
    let mut texts = Vec::new();
    while let Some(row) = reader.next_row().map_err(|error| error.to_string())? {
        texts.extend(row.ok().map(|row| row.text));
    }
    assert!(reader.fingerprint().is_some(), "the raw bytes were read to their end");
    Ok(texts)
}

/// The texts in a file of these bytes, and in a pipe of them.
fn texts(name: &str, bytes: &[u8]) -> Result<Vec<String>, String> {
    let dir = tempfile::tempdir().unwrap();
    let read = texts_of(&[write(dir.path(), name, bytes)]);
    read.map_err(|error| error.replace(&format!("{}/", dir.path().display()), ""))
}

#[test]
fn every_packing_is_read_whatever_the_name() {
    let text = csv(&[(1, "late"), (2, "lost")]);
    let plain = text.as_bytes();
    for (name, bytes) in [
        ("plain.csv.gz", plain.to_vec()),
        ("gz.csv", gzip(plain)),
        ("twice.csv.gz.gz", gzip(&gzip(plain))),
        ("t.csv.bz2", bzip2(plain)),
        ("two.bz2", [bzip2(&plain[..30]), bzip2(&plain[30..])].concat()),
        ("padded.gz", [gzip(plain), vec![0; 600]].concat()),
        ("t.csv.zst", zstd(plain)),
        ("two.zst", [zstd(&plain[..30]), zstd(&plain[30..])].concat()),
        ("t.tar", tar(&[("t.csv", plain)])),
        ("t.tar.gz", gzip(&tar(&[("t.csv", plain)]))),
        ("t.tgz", gzip(&tar(&[("t.csv.bz2", &bzip2(plain))]))),
        ("t.zip", zip(&[("t.csv", plain)])),
        ("t.zip.gz", gzip(&zip(&[("t.csv", plain)]))),
        ("inner.zip", zip(&[("inner.zip", &zip(&[("t.csv.gz", &gzip(plain))]))])),
    ] {
        assert_eq!(texts(name, &bytes).unwrap(), ROWS, "{name}");
    }
    for name in ["two.xz", "two.zst", "bzip2.zip"] {
        assert_eq!(texts_of(&[fixture(name)]).unwrap(), ROWS, "{name}");
    }
}

#[test]
fn the_dumps_in_an_archive_are_one_dump() {
    assert_eq!(texts_of(&[fixture("two.zip")]).unwrap(), ["late", "lost", "kind", "fine"], "by name, without the rest");
    assert_eq!(texts_of(&[fixture("x-archive.zip")]).unwrap(), ROWS, "posts only, no likes");
    let (first, second) = (csv(&[(1, "late")]), csv(&[(2, "lost")]));
    let long = format!("{}/b.jsonl", "folder".repeat(30));
    let archive = tar(&[
        ("a.csv", first.as_bytes()),
        ("cat.png", b"\x89PNG\r\n\x1a\n"),
        ("._a.csv", b"\0\x05\x16\x07"),
        ("notes", b"\x80\x04\x95 a pickle"),
        ("empty.csv", b""),
        (&long, b"{\"id\":\"2\",\"created_at\":1424159328,\"text\":\"lost\"}\n"),
    ]);
    assert_eq!(texts("t.tar", &archive).unwrap(), ROWS, "of any layout");
    let concatenated = [tar(&[("a.csv", first.as_bytes())]), vec![0; 4096]].concat();
    assert_eq!(texts("t.tar", &concatenated).unwrap(), ["late"]);
    let months = zip(&[("2015-02.csv", second.as_bytes()), ("2015-01.csv", first.as_bytes())]);
    assert_eq!(texts("months.zip", &months).unwrap(), ROWS);
}

#[test]
fn a_file_of_rows_in_an_archive_must_not_be_left_out() {
    let good = csv(&[(1, "late")]);
    let page = zip(&[("a.csv", good.as_bytes()), ("b.csv", b"<!DOCTYPE html>\n")]);
    let error = texts("t.zip", &page).unwrap_err();
    assert!(error.starts_with("t.zip/b.csv is an HTML page"), "{error}");
    let columns = zip(&[("a.csv", good.as_bytes()), ("b.csv", b"name,price\nx,1\n")]);
    let error = texts("t.zip", &columns).unwrap_err();
    assert!(error.starts_with("t.zip/b.csv has no column for"), "{error}");
    let only = texts("t.zip", &zip(&[("README.md", b"x"), ("data.parquet", b"PAR1\x15\x04")])).unwrap_err();
    assert!(only.starts_with("t.zip has no dump") && only.contains("t.zip/data.parquet"), "{only}");
    let parquet = texts("t.zip", &zip(&[("data.parquet", b"PAR1\x15\x04")])).unwrap_err();
    assert!(parquet.starts_with("t.zip/data.parquet is a parquet file; convert it"), "{parquet}");
}

#[test]
fn damage_is_named_with_its_kind() {
    let text = csv(&(0..2000).map(|id| (id, "late")).collect::<Vec<_>>());
    let plain = text.as_bytes();
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() * 2 / 3].to_vec();
    let flipped = |mut bytes: Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        bytes
    };
    let xz = std::fs::read(fixture("two.xz")).unwrap();
    for (name, bytes, expected) in [
        ("t.gz", cut(gzip(plain)), "starts like gzip but cannot be decompressed"),
        ("t.gz", flipped(gzip(plain)), "starts like gzip but cannot be decompressed"),
        ("t.bz2", cut(bzip2(plain)), "starts like bzip2 but cannot be decompressed"),
        ("t.bz2", flipped(bzip2(plain)), "starts like bzip2 but cannot be decompressed"),
        ("t.zst", cut(zstd(plain)), "starts like zstd but cannot be decompressed"),
        ("t.xz", xz[..xz.len() - 30].to_vec(), "starts like xz but cannot be decompressed"),
        ("t.xz", flipped(xz.clone()), "starts like xz but cannot be decompressed"),
        ("t.zip", cut(zip(&[("t.csv", plain)])), "the zip archive is truncated or damaged"),
        ("t.zip", flipped(zip(&[("t.csv", plain)])), "the zip archive is truncated or damaged"),
        ("t.tar", cut(tar(&[("t.csv", plain)])), "the tar archive is truncated or damaged"),
    ] {
        let error = texts(name, &bytes).unwrap_err();
        assert!(error.contains(expected) && error.contains("download it again"), "{name}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn what_needs_too_much_is_refused_with_the_command() {
    let plain = csv(&[(1, "late")]);
    let deep = (0..7).fold(plain.clone().into_bytes(), |bytes, _| gzip(&bytes));
    assert_eq!(texts("deep.gz", &deep).unwrap_err(), "deep.gz is packed more than 6 times; unpack it first");
    let nested = (0..7).fold(plain.clone().into_bytes(), |bytes, _| zip(&[("a.zip", &bytes)]));
    assert!(texts("deep.zip", &nested).unwrap_err().contains("is packed more than 6 times"));
    // A frame of a window of 2 GiB, as `zstd --long=31` writes.
    let long = [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8][..], &[1, 0, 0]].concat();
    let error = texts("long.zst", &long).unwrap_err();
    assert!(error.contains("needs 2048 MiB of memory") && error.contains("`zstd -d --long=31 FILE`"), "{error}");
    let error = texts_of(&[fixture("big-dictionary.xz")]).unwrap_err();
    assert!(error.contains("needs 1024 MiB of memory") && error.contains("`xz -d -k FILE`"), "{error}");
    let error = texts_of(&[fixture("encrypted.zip")]).unwrap_err();
    assert!(error.contains("encrypted.zip/a.csv is encrypted") && error.contains("7z x"), "{error}");
    let error = texts_of(&[fixture("lzma.zip")]).unwrap_err();
    assert!(error.contains("lzma.zip/a.csv is packed in a way"), "{error}");
    for name in ["book.xlsx", "sheet.ods"] {
        let error = texts_of(&[fixture(name)]).unwrap_err();
        assert!(error.contains("is a spreadsheet") && error.contains("CSV UTF-8"), "{error}");
    }
}

#[test]
fn a_pipe_is_unpacked_too() {
    let plain = csv(&[(1, "late"), (2, "lost")]);
    for packed in [gzip(plain.as_bytes()), zstd(plain.as_bytes()), zip(&[("a.csv", plain.as_bytes())])] {
        let pipe = Box::new(Cursor::new(packed));
        let mut reader =
            Reader::from_bytes("standard input".into(), pipe, None, &ReadOptions::default(), REPLAY).unwrap();
        assert_eq!(drain(&mut reader).0.into_iter().map(|row| row.text).collect::<Vec<_>>(), ROWS);
        assert!(reader.fingerprint().is_some());
    }
}

#[test]
fn utf16_is_converted_and_nul_bytes_are_removed() {
    let text = "id\tcreated_at\ttext\r\n1\t2015-02-17T07:48:48Z\tété 🛫\r\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (name, bytes, guessed) in [
        ("little", [&[0xff, 0xfe], little.as_slice()].concat(), false),
        ("big", [&[0xfe, 0xff], big.as_slice()].concat(), false),
        ("unmarked", little.clone(), true),
        ("unmarked big", big, true),
    ] {
        let options = ReadOptions { encoding: Encoding::Latin1, ..ReadOptions::default() };
        let mut reader = open(&gzip(&bytes), &options, REPLAY).unwrap();
        assert_eq!(drain(&mut reader).0[0].text, "été 🛫", "{name}");
        assert_eq!(reader.notes().sentences().iter().any(|note| note.contains("UTF-16")), guessed, "{name}");
    }
    let nuls = "id,created_at,text\n1,2015-02-17T07:48:48Z,la\0te\0\n2,2015-02-17T07:48:48Z,lost\n";
    let mut reader = open(nuls.as_bytes(), &ReadOptions::default(), REPLAY).unwrap();
    assert_eq!(drain(&mut reader).0.into_iter().map(|row| row.text).collect::<Vec<_>>(), ROWS);
    assert_eq!(reader.notes().sentences(), ["2 NUL bytes were removed"]);
}

#[test]
fn several_files_are_one_dump_and_rejects_name_their_file() {
    let dir = tempfile::tempdir().unwrap();
    let first = write(dir.path(), "a.csv", csv(&[(1, "late")]).as_bytes());
    let second = write(
        dir.path(),
        "b.jsonl.gz",
        &gzip(b"{\"id\":\"2\",\"created_at\":1424159328,\"text\":\"lost\"}\n{\"id\":\"3\"}\n"),
    );
    let inputs = Inputs::expand(&[&second, &first]).unwrap();
    let mut reader = DumpReader::open(&inputs, &ReadOptions::default(), REPLAY).unwrap();
    assert_eq!(reader.fingerprint(), None);
    let (rows, rejects) = drain_dump(&mut reader);
    assert_eq!(rows.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(), ["lost", "late"]);
    assert_eq!(rejects[0].file.as_deref(), Some(second.display().to_string().as_str()));
    assert_eq!(Some(reader.progress().bytes_read()), reader.progress().total);
    let fingerprint = |paths: &[&PathBuf]| {
        let mut reader = DumpReader::open(&Inputs::expand(paths).unwrap(), &ReadOptions::default(), REPLAY).unwrap();
        drain_dump(&mut reader);
        reader.fingerprint().unwrap()
    };
    assert_eq!(reader.fingerprint().unwrap(), fingerprint(&[&second, &first]));
    assert_ne!(fingerprint(&[&second, &first]), fingerprint(&[&first, &second]), "the order is a part of it");
    let mut file = RejectsFile::new(None);
    rejects.iter().for_each(|reject| file.add(reject).unwrap());
    let message = file.no_usable_rows_error(reader.name()).to_string();
    assert!(message.contains(&format!("; first at line 2 of {}: ", second.display())), "{message}");
    let missing = texts_of(&[first, dir.path().join("c.csv")]).unwrap_err();
    assert!(missing.starts_with("no such file: ") && missing.contains("c.csv"), "{missing}");
}

#[test]
fn a_part_can_be_opened_again_without_a_trace_in_the_first() {
    use crate::dump::input::members::Role;
    use crate::dump::input::parts::Parts;
    use crate::dump::input::raw::Tally;
    let input = Input::Path(fixture("two.zip"));
    let mut parts = Parts::new("two.zip".into(), Role::Named, input.open().unwrap(), Tally::default());
    let mut part = parts.next().unwrap().unwrap();
    let mut start = [0; 4];
    part.stream.read_exact(&mut start).unwrap();
    let (mut again, mut rest) = (String::new(), String::new());
    part.again.as_ref().unwrap().open().unwrap().read_to_string(&mut again).unwrap();
    part.stream.read_to_string(&mut rest).unwrap();
    assert_eq!(again, format!("{}{rest}", String::from_utf8_lossy(&start)));
}

/// Memory depends on windows, not on sizes: a gigabyte of zeros in a megabyte.
#[test]
fn a_bomb_is_a_line_that_is_too_long() {
    let bomb = gzip(&vec![b'a'; 64 << 20]);
    let bytes = [gzip(b"id,created_at,text\n"), bomb, gzip(b"\n1,2015-02-17T07:48:48Z,late\n")].concat();
    let (rows, rejects) = read_with(&bytes, &ReadOptions::default(), REPLAY);
    assert_eq!((rows.len(), reasons(&rejects)), (1, vec![(2, RejectReason::TooLong)]));
}
