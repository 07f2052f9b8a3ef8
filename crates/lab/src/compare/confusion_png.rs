//! The confusion matrix as a PNG, for trackers that show images.

use vigie_chart::{Anchor, Canvas, Colour};

const CELL: f32 = 92.0;
/// Space left of the cells and above them, for the labels.
const LEFT: f32 = 108.0;
const TOP: f32 = 76.0;
const MARGIN: f32 = 18.0;
const DENSITY: f32 = 2.0;

const INK: Colour = Colour(0x1f, 0x23, 0x28);
const GREY: Colour = Colour(0x59, 0x63, 0x6e);
const WHITE: Colour = Colour(0xff, 0xff, 0xff);
/// Colour of a cell that holds a whole row.
const FULL: Colour = Colour(0x1f, 0x4e, 0x79);

/// Posts by label (rows) and prediction (columns); the darker a cell, the larger its share of the row.
pub(crate) fn confusion_matrix(labels: &[&str], counts: &[Vec<u64>]) -> Option<Vec<u8>> {
    let side = labels.len() as f32 * CELL;
    let mut canvas = Canvas::new(LEFT + side + MARGIN, TOP + side + MARGIN, DENSITY)?;
    canvas.text("predicted", (LEFT + side / 2.0, 26.0), 14.0, GREY, Anchor::Middle);
    canvas.text("label", (LEFT - 12.0, TOP - 12.0), 14.0, GREY, Anchor::End);
    for (index, label) in labels.iter().enumerate() {
        let middle = (index as f32 + 0.5) * CELL;
        canvas.text(label, (LEFT + middle, TOP - 12.0), 15.0, INK, Anchor::Middle);
        canvas.text(label, (LEFT - 12.0, TOP + middle + 5.0), 15.0, INK, Anchor::End);
    }
    for (row, counts) in counts.iter().enumerate() {
        let whole = counts.iter().sum::<u64>().max(1) as f32;
        for (column, count) in counts.iter().enumerate() {
            let share = *count as f32 / whole;
            let (left, top) = (LEFT + column as f32 * CELL, TOP + row as f32 * CELL);
            canvas.rectangle(((left + 1.0, top + 1.0), (left + CELL - 1.0, top + CELL - 1.0)), shade(share));
            let ink = if share > 0.5 { WHITE } else { INK };
            let middle = left + CELL / 2.0;
            canvas.text(&count.to_string(), (middle, top + CELL / 2.0 + 1.0), 19.0, ink, Anchor::Middle);
            canvas.text(
                &format!("{:.1}%", share * 100.0),
                (middle, top + CELL / 2.0 + 21.0),
                13.0,
                ink,
                Anchor::Middle,
            );
        }
    }
    canvas.into_png()
}

/// From nearly white to [`FULL`].
fn shade(share: f32) -> Colour {
    let part = |full: u8| (245.0 + (f32::from(full) - 245.0) * share).round() as u8;
    let Colour(red, green, blue) = FULL;
    Colour(part(red), part(green), part(blue))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(png: &[u8]) -> (u32, u32) {
        // Width and height follow the signature, the length and the name of the first chunk.
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        (number(16), number(20))
    }

    #[test]
    fn a_matrix_is_drawn_the_same_every_time_and_shows_its_counts() {
        let draw = |right: u64| confusion_matrix(&["negative", "positive"], &[vec![right, 3], vec![0, 0]]).unwrap();
        assert_eq!(draw(9), draw(9));
        assert_ne!(draw(9), draw(8));
        assert_eq!(size(&draw(9)), (620, 556));
        let three =
            confusion_matrix(&["negative", "neutral", "positive"], &[vec![1, 2, 3], vec![4, 5, 6], vec![7, 8, 9]]);
        assert_eq!(size(&three.unwrap()), (804, 740));
    }
}
