//! [`Foreign`]: files that people hand in for a dump and that are none, each with what to do about it.

/// Something that is not a dump, recognised by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    Parquet,
    /// An Arrow file, or Feather.
    ArrowFile,
    /// An Arrow stream, as Hugging Face's `datasets` caches it.
    ArrowStream,
    Orc,
    Avro,
    Hdf5,
    Numpy,
    Pickle,
    /// R's `saveRDS` or `save`.
    R,
    Stata,
    Spss,
    Sqlite,
    /// An Excel workbook of 2007 or later, an OpenDocument spreadsheet, an XML spreadsheet, or one of Apple's Numbers.
    Spreadsheet,
    /// The container of `.xls`, `.doc`, `.msg` and of encrypted workbooks.
    OldOffice,
    Document,
    Pdf,
    Image,
    Html,
    Xml,
    LfsPointer,
    SevenZip,
    Rar,
    Lz4,
    Lzma,
    Lzip,
    Compress,
    Utf32,
    /// Metadata that macOS keeps beside a file.
    AppleDouble,
    Binary,
}

impl Foreign {
    /// By the first bytes of a file.
    pub(super) fn detect(head: &[u8]) -> Option<Self> {
        Self::by_magic(head).or_else(|| Self::by_text(head))
    }

    fn by_magic(head: &[u8]) -> Option<Self> {
        Some(match head {
            // A column may be called PAR1 too: what follows in a file of Parquet is not text.
            [b'P', b'A', b'R', b'1' | b'E', next, ..] if !(b' '..=b'~').contains(next) => Self::Parquet,
            [b'A', b'R', b'R', b'O', b'W', b'1', 0, ..] | [b'F', b'E', b'A', b'1', 0, ..] => Self::ArrowFile,
            [0xff, 0xff, 0xff, 0xff, ..] => Self::ArrowStream,
            [b'O', b'R', b'C', next, ..] if *next < b' ' => Self::Orc,
            [b'O', b'b', b'j', 1, ..] => Self::Avro,
            [0x89, b'H', b'D', b'F', ..] => Self::Hdf5,
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Self::Numpy,
            [0x80, 2..=5, ..] => Self::Pickle,
            [b'R', b'D', b'X' | b'A', b'2' | b'3', b'\n', ..] | [b'X', b'\n', 0, 0, ..] => Self::R,
            [b'<', b's', b't', b'a', b't', b'a', b'_', ..] => Self::Stata,
            [b'$', b'F', b'L', b'2' | b'3', b'@', ..] => Self::Spss,
            [0xd0, 0xcf, 0x11, 0xe0, ..] => Self::OldOffice,
            [b'%', b'P', b'D', b'F', b'-', ..] => Self::Pdf,
            [b'{', b'\\', b'r', b't', b'f', ..] => Self::Document,
            [0x89, b'P', b'N', b'G', ..]
            | [0xff, 0xd8, 0xff, ..]
            | [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..]
            | [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..]
            | [b'I', b'I', b'*', 0, ..]
            | [b'M', b'M', 0, b'*', ..]
            | [0, 0, 0, _, b'f', b't', b'y', b'p', ..] => Self::Image,
            [b'7', b'z', 0xbc, 0xaf, ..] => Self::SevenZip,
            [b'R', b'a', b'r', b'!', 0x1a, ..] => Self::Rar,
            [0x04, 0x22, 0x4d, 0x18, ..] => Self::Lz4,
            [0x5d, 0, 0, ..] => Self::Lzma,
            [b'L', b'Z', b'I', b'P', 1, ..] => Self::Lzip,
            [0x1f, 0x9d, ..] => Self::Compress,
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Self::Utf32,
            [0, 5, 0x16, 7, ..] => Self::AppleDouble,
            head if head.starts_with(b"SQLite format 3\0") => Self::Sqlite,
            _ => return None,
        })
    }

    fn by_text(head: &[u8]) -> Option<Self> {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        if head.starts_with(b"version https://git-lfs") {
            return Some(Self::LfsPointer);
        }
        if head.first() != Some(&b'<') {
            return None;
        }
        let start = head.to_ascii_lowercase();
        let starts = |words: &[&str]| words.iter().any(|word| start.starts_with(word.as_bytes()));
        let holds = |word: &str| start.windows(word.len()).any(|part| part == word.as_bytes());
        if holds("excel.sheet") || holds("office:spreadsheet") {
            return Some(Self::Spreadsheet);
        }
        // A page that is also XML is a page.
        let pages = ["<!doctype html", "<html", "<head", "<body", "<script", "<meta", "<title", "<table"];
        if starts(&pages) || holds("<html") {
            return Some(Self::Html);
        }
        starts(&["<?xml", "<!--", "<rss", "<feed", "<!doctype"]).then_some(Self::Xml)
    }

    /// What it is, with its article.
    pub fn what(self) -> &'static str {
        match self {
            Self::Parquet => "a parquet file",
            Self::ArrowFile => "an Arrow (Feather) file",
            Self::ArrowStream => "an Arrow stream, as Hugging Face's datasets keeps it",
            Self::Orc => "an ORC file",
            Self::Avro => "an Avro file",
            Self::Hdf5 => "an HDF5 file",
            Self::Numpy => "an array of NumPy, without column names",
            Self::Pickle => "a Python pickle",
            Self::R => "a file of R",
            Self::Stata => "a file of Stata",
            Self::Spss => "a file of SPSS",
            Self::Sqlite => "an SQLite database",
            Self::Spreadsheet => "a spreadsheet",
            Self::OldOffice => "an old or encrypted Office file, probably a spreadsheet (.xls)",
            Self::Document => "a text document",
            Self::Pdf => "a PDF",
            Self::Image => "an image or a video",
            Self::Html => "an HTML page, probably of a login, an error or a download",
            Self::Xml => "XML",
            Self::LfsPointer => "a git-LFS pointer, not the data",
            Self::SevenZip => "a 7z archive",
            Self::Rar => "a RAR archive",
            Self::Lz4 => "packed with lz4",
            Self::Lzma => "packed with lzma",
            Self::Lzip => "packed with lzip",
            Self::Compress => "packed with compress (.Z)",
            Self::Utf32 => "UTF-32 text",
            Self::AppleDouble => "metadata of macOS (AppleDouble)",
            Self::Binary => "binary data of an unknown kind",
        }
    }

    /// What to do about it; `name` is the file in commands.
    pub(in crate::dump) fn way_out(self, name: &str) -> String {
        let Quoted { name: from, csv: to } = Quoted::new(name);
        let python =
            |read: &str| format!("`python3 -c \"import pandas; pandas.{read}('{from}').to_csv('{to}', index=False)\"`");
        let convert = |read: &str| format!("convert it: {}", python(read));
        let unpack = |command: &str| format!("unpack it first: `{command} '{from}'`");
        match self {
            Self::Parquet => {
                format!("convert it: `duckdb -c \"COPY (FROM '{from}') TO '{to}'\"` or {}", python("read_parquet"))
            }
            Self::ArrowFile => convert("read_feather"),
            Self::ArrowStream => format!(
                "convert it: `python3 -c \"import datasets; datasets.Dataset.from_file('{from}').to_csv('{to}')\"`"
            ),
            Self::Orc => convert("read_orc"),
            Self::Avro => {
                format!(
                    "convert it: `duckdb -c \"INSTALL avro; LOAD avro; COPY (FROM read_avro('{from}')) TO '{to}'\"`"
                )
            }
            Self::Hdf5 => convert("read_hdf"),
            Self::Pickle => {
                format!("if you trust who made it (a pickle can run code), {}", convert("read_pickle"))
            }
            Self::R => format!("convert it: `Rscript -e \"write.csv(readRDS('{from}'), '{to}', row.names = FALSE)\"`"),
            Self::Stata => convert("read_stata"),
            Self::Spss => convert("read_spss"),
            Self::Sqlite => format!(
                "list its tables: `sqlite3 '{from}' .tables`, and export one: \
                 `sqlite3 -header -csv '{from}' 'SELECT * FROM TABLE' > '{to}'`"
            ),
            Self::Spreadsheet | Self::OldOffice => format!(
                "open it and save the sheet as \"CSV UTF-8\", or: \
                 `soffice --headless --convert-to 'csv:Text - txt - csv (StarCalc):44,34,76' '{from}'`"
            ),
            Self::Document => "expected data: save the rows in it as plain text, CSV or JSON lines".into(),
            Self::Pdf => "expected data: ask for the export as CSV or JSON lines".into(),
            Self::Html => {
                "open its address in a browser, log in, and download the data itself, as CSV or JSON lines".into()
            }
            Self::Xml => format!("expected CSV or JSON lines: convert it, e.g. {}", python("read_xml")),
            Self::LfsPointer => "fetch the data: `git lfs pull` in its repository".into(),
            Self::SevenZip => unpack("7z x"),
            Self::Rar => unpack("unrar x"),
            Self::Lz4 => unpack("lz4 -d"),
            Self::Lzma => unpack("xz -d -k --format=lzma"),
            Self::Lzip => unpack("lzip -d -k"),
            Self::Compress => unpack("gzip -d -k"),
            Self::Utf32 => format!("convert it: `iconv -f UTF-32 -t UTF-8 '{from}' > '{to}'`"),
            Self::AppleDouble => "the data is in the file of the same name without the leading `._`".into(),
            Self::Numpy | Self::Image | Self::Binary => "expected text: CSV with a header, or JSON lines".into(),
        }
    }
}

/// An OpenDocument file says what it is in its first member, which is not packed.
pub(super) fn opendocument(head: &[u8]) -> Option<Foreign> {
    let holds = |word: &[u8]| head.windows(word.len()).any(|part| part == word);
    if !holds(b"mimetypeapplication/") {
        return None;
    }
    Some(if holds(b"opendocument.spreadsheet") { Foreign::Spreadsheet } else { Foreign::Document })
}

/// A file name for a command in single quotes, and the name of its conversion to CSV.
struct Quoted {
    name: String,
    csv: String,
}

impl Quoted {
    fn new(name: &str) -> Self {
        let unsafe_in_quotes = |c: char| c.is_control() || "'\"$`\\!".contains(c);
        // `FILE` stands for a pipe, and for a name that would need other quotes.
        let name = if name == "standard input" || name.contains(unsafe_in_quotes) { "FILE" } else { name };
        let last = name.rsplit('/').next().unwrap_or(name);
        let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
        let stem = if stem.is_empty() { last } else { stem };
        // Beside the working directory, not the file: its folder may be read-only. Never the file itself.
        let csv = if last == format!("{stem}.csv") { format!("{stem}.converted.csv") } else { format!("{stem}.csv") };
        Self { name: name.to_owned(), csv }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_hand_in_is_recognised() {
        let mut webp = b"RIFF....WEBPVP8 ".to_vec();
        webp[4..8].copy_from_slice(&[1, 2, 3, 4]);
        for (head, expected) in [
            (&b"PAR1\x15\x04"[..], Foreign::Parquet),
            (b"ARROW1\0\0", Foreign::ArrowFile),
            (b"\xff\xff\xff\xff\x10\x01\0\0", Foreign::ArrowStream),
            (b"ORC\x0a\x0b", Foreign::Orc),
            (b"Obj\x01\x04", Foreign::Avro),
            (b"\x89HDF\r\n\x1a\n", Foreign::Hdf5),
            (b"\x80\x04\x95\x10", Foreign::Pickle),
            (b"X\n\0\0\0\x03", Foreign::R),
            (b"SQLite format 3\0\x10\0", Foreign::Sqlite),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Foreign::OldOffice),
            (b"%PDF-1.7\n", Foreign::Pdf),
            (b"{\\rtf1\\ansi", Foreign::Document),
            (b"\x89PNG\r\n\x1a\n", Foreign::Image),
            (b"\xff\xd8\xff\xe0", Foreign::Image),
            (&webp, Foreign::Image),
            (b"\0\0\0\x20ftypisom", Foreign::Image),
            (b"7z\xbc\xaf\x27\x1c", Foreign::SevenZip),
            (b"Rar!\x1a\x07\x01\0", Foreign::Rar),
            (b"\xff\xfe\0\0i\0\0\0", Foreign::Utf32),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:", Foreign::LfsPointer),
            (b"\n\n<!DOCTYPE HTML>\n", Foreign::Html),
            (b"\xef\xbb\xbf<html lang=fr>", Foreign::Html),
            (b"<?xml version=\"1.0\"?>\n<!DOCTYPE html>\n<html>", Foreign::Html),
            (b"<?xml version=\"1.0\"?>\n<rss>", Foreign::Xml),
            (b"<?xml version=\"1.0\"?>\n<?mso-application progid=\"Excel.Sheet\"?>", Foreign::Spreadsheet),
        ] {
            assert_eq!(Foreign::detect(head), Some(expected), "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn texts_that_look_alike_are_read() {
        for head in [
            "PAR1,text\n",
            "ORC;text\n",
            "<user>,text\n",
            "Object,text\n",
            "GIF8,text\n",
            "7z,text\n",
            "X\ntext\n",
            "{\"a\":1}",
        ] {
            assert_eq!(Foreign::detect(head.as_bytes()), None, "{head}");
        }
    }

    #[test]
    fn commands_name_the_file() {
        let parquet = Foreign::Parquet.way_out("data/train 1.parquet");
        assert!(parquet.contains("COPY (FROM 'data/train 1.parquet') TO 'train 1.csv'"), "{parquet}");
        assert!(parquet.contains("pandas.read_parquet('data/train 1.parquet').to_csv('train 1.csv', index=False)"));
        assert!(Foreign::Pickle.way_out("standard input").contains("read_pickle('FILE')"));
        assert!(Foreign::Parquet.way_out("it's $HOME.parquet").contains("read_parquet('FILE')"));
        assert!(Foreign::Parquet.way_out("posts.csv").contains(".to_csv('posts.converted.csv'"));
        assert!(!Foreign::Html.way_out("a").contains('\n'));
    }
}
