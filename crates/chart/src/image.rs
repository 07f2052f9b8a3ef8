//! Encodes pixels as a PNG with indexed colours: a third of the size of one with true colours.

use std::collections::BTreeMap;

use tiny_skia::Pixmap;

/// `None` if the encoder fails, which it cannot for pixels in memory.
pub(super) fn png(pixmap: &Pixmap) -> Option<Vec<u8>> {
    // Anti-aliasing yields many similar colours: merge those that look the same.
    let (palette, indices) = (4..8).find_map(|dropped| indexed(pixmap, dropped))?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixmap.width(), pixmap.height());
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette);
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&indices).ok()?;
    writer.finish().ok()?;
    Some(bytes)
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
