//! Encodes pixels as a PNG with indexed colours: a third of the size of one with true colours.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use tiny_skia::Pixmap;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Stores the pixels of a line unchanged, which suits indexed colours.
const NO_FILTER: u8 = 0;

/// `None` if the encoder fails, which it cannot for pixels in memory.
pub(super) fn png(pixmap: &Pixmap) -> Option<Vec<u8>> {
    // Anti-aliasing yields many similar colours: merge those that look the same.
    let (palette, indices) = (4..8).find_map(|dropped| indexed(pixmap, dropped))?;
    let mut lines = ZlibEncoder::new(Vec::new(), Compression::best());
    for line in indices.chunks(pixmap.width() as usize) {
        lines.write_all(&[NO_FILTER]).ok()?;
        lines.write_all(line).ok()?;
    }
    let mut header = [pixmap.width(), pixmap.height()].map(u32::to_be_bytes).concat();
    // Eight bits per pixel, indexed colours, default compression and filtering, not interlaced.
    header.extend([8, 3, 0, 0, 0]);
    let mut bytes = SIGNATURE.to_vec();
    for (kind, data) in [(b"IHDR", &header), (b"PLTE", &palette), (b"IDAT", &lines.finish().ok()?), (b"IEND", &vec![])]
    {
        bytes.extend(chunk(kind, data)?);
    }
    Some(bytes)
}

/// Length, type, data, and a checksum of type and data.
fn chunk(kind: &[u8; 4], data: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(data.len()).ok()?;
    let mut checksum = Crc::new();
    checksum.update(kind);
    checksum.update(data);
    Some([&length.to_be_bytes()[..], kind, data, &checksum.sum().to_be_bytes()].concat())
}

/// The palette and the index of each pixel, with colours merged that differ only in their last `dropped` bits. `None` if the
/// palette needs more than 256 colours.
fn indexed(pixmap: &Pixmap, dropped: u32) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut known: BTreeMap<[u8; 3], u8> = BTreeMap::new();
    let (mut palette, mut indices) = (Vec::new(), Vec::with_capacity(pixmap.pixels().len()));
    let (mut last, mut index) = (None, 0);
    for pixel in pixmap.pixels() {
        let colour = [pixel.red(), pixel.green(), pixel.blue()];
        // Most pixels have the colour of the one before.
        if last != Some(colour) {
            let near = colour.map(|part| part >> dropped);
            index = match known.get(&near) {
                Some(index) => *index,
                None => {
                    palette.extend(colour);
                    let index = u8::try_from(known.len()).ok()?;
                    *known.entry(near).or_insert(index)
                }
            };
            last = Some(colour);
        }
        indices.push(index);
    }
    Some((palette, indices))
}

#[cfg(test)]
mod tests {
    use tiny_skia::{Color, Paint, Rect, Transform};

    use super::*;

    #[test]
    fn a_decoder_reads_the_pixels_that_were_written() {
        let mut pixmap = Pixmap::new(40, 30).unwrap();
        pixmap.fill(Color::WHITE);
        let mut paint = Paint::default();
        paint.set_color_rgba8(200, 40, 90, 255);
        pixmap.fill_rect(Rect::from_xywh(3.5, 2.0, 20.0, 9.0).unwrap(), &paint, Transform::identity(), None);
        let bytes = png(&pixmap).unwrap();

        // Checks the checksums too.
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut decoded = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut decoded).unwrap();
        assert_eq!((info.width, info.height, info.color_type), (40, 30, png::ColorType::Rgb));
        assert!(reader.finish().is_ok());
        assert_eq!(decoded.len(), 40 * 30 * 3);
        for (pixel, found) in pixmap.pixels().iter().zip(decoded.chunks(3)) {
            for (expected, found) in [pixel.red(), pixel.green(), pixel.blue()].iter().zip(found) {
                assert!(expected.abs_diff(*found) < 16, "{pixel:?} is decoded as {found}");
            }
        }
    }
}
