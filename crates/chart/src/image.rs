//! From pixels to a PNG of indexed colours: a third of the bytes of one in true colours.

use std::collections::BTreeMap;

use tiny_skia::Pixmap;

/// None where the encoder fails, which it does not for pixels in memory.
pub(super) fn png(pixmap: &Pixmap) -> Option<Vec<u8>> {
    // The blends at the edges of letters and lines: what no eye tells apart becomes one.
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

/// The palette and each pixel's place in it, when colours that differ in their last `dropped` bits are one; none where
/// 256 are too few.
fn indexed(pixmap: &Pixmap, dropped: u32) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut places: BTreeMap<[u8; 3], u8> = BTreeMap::new();
    let (mut palette, mut indices) = (Vec::new(), Vec::with_capacity(pixmap.pixels().len()));
    let (mut last, mut place) = (None, 0);
    for pixel in pixmap.pixels() {
        let colour = [pixel.red(), pixel.green(), pixel.blue()];
        // Most pixels are as the one before.
        if last != Some(colour) {
            let near = colour.map(|part| part >> dropped);
            place = match places.get(&near) {
                Some(place) => *place,
                None => {
                    palette.extend(colour);
                    let place = u8::try_from(places.len()).ok()?;
                    *places.entry(near).or_insert(place)
                }
            };
            last = Some(colour);
        }
        indices.push(place);
    }
    Some((palette, indices))
}
