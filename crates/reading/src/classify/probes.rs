//! [`Probes`]: texts stored with a model, with the answers of its f32. A faster precision is used by itself only if it gives
//! the same answers on the machine at hand.

use serde::{Deserialize, Serialize};

use super::{Classifier, ClassifyError, Label, Prediction, classify_texts};

/// What a model says of some texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probes {
    /// The most that a probability may differ.
    pub tolerance: f32,
    pub texts: Vec<Probe>,
}

/// One text and its probabilities, in the order of [`Label::ALL`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    pub text: String,
    pub probabilities: [f32; 3],
}

/// A label is compared only where the largest probability leads by this much: a text on the border says nothing.
const MARGIN: f32 = 0.1;

impl Probes {
    /// The tolerance that [`Probes::measure`] writes. Int8 moves a probability of the shipped model by 0.02 on average and
    /// by up to 0.15 on a text near the border; a wrong kernel moves most by more.
    pub const TOLERANCE: f32 = 0.2;

    /// The answers of `classifier`, which is in f32, on `texts`.
    pub fn measure(classifier: &mut dyn Classifier, texts: &[&str]) -> Result<Self, ClassifyError> {
        let predictions = classify_texts(classifier, texts)?;
        let probe = |(text, prediction): (&&str, Prediction)| Probe {
            text: (*text).to_owned(),
            probabilities: prediction.probabilities,
        };
        Ok(Self { tolerance: Self::TOLERANCE, texts: texts.iter().zip(predictions).map(probe).collect() })
    }

    /// The first answer of `classifier` that is not the stored one, in words.
    pub fn find_disagreement(&self, classifier: &mut dyn Classifier) -> Option<String> {
        let texts: Vec<&str> = self.texts.iter().map(|probe| probe.text.as_str()).collect();
        let predictions = match classify_texts(classifier, &texts) {
            Ok(predictions) => predictions,
            Err(error) => return Some(error.to_string()),
        };
        self.texts.iter().zip(&predictions).find_map(|(probe, found)| self.compare(probe, found))
    }

    fn compare(&self, probe: &Probe, found: &Prediction) -> Option<String> {
        let expected = Prediction::from_probabilities(probe.probabilities);
        if expected.label != found.label && margin(&expected) >= MARGIN {
            return Some(format!(
                "`{}` is {} in f32 and {} here",
                probe.text,
                expected.label.as_str(),
                found.label.as_str()
            ));
        }
        let pairs = Label::ALL.into_iter().zip(probe.probabilities).zip(found.probabilities);
        // A probability that is not a number must not pass.
        let far = |expected: f32, found: f32| found.is_nan() || (expected - found).abs() > self.tolerance;
        let mut wrong = pairs.filter(|((_, expected), found)| far(*expected, *found));
        wrong.next().map(|((label, expected), found)| {
            format!("`{}` is {} with probability {expected:.3} in f32 and {found:.3} here", probe.text, label.as_str())
        })
    }
}

/// How far the largest probability leads the next.
fn margin(prediction: &Prediction) -> f32 {
    let mut sorted = prediction.probabilities;
    sorted.sort_by(f32::total_cmp);
    sorted[2] - sorted[1]
}

/// Texts for models that are fitted or downloaded: posts about an airline in both languages, of all labels, short and long.
pub const PROBE_TEXTS: [&str; 24] = [
    "Worst airline ever. Three hours on the tarmac and nobody tells us anything.",
    "My bag is lost for the second time this year, and the hotline hangs up on me.",
    "@AirParadis flight AP312 cancelled, no hotel, no voucher. Never again!",
    "So you charge 60 euros for a cabin bag now? Ridiculous.",
    "Still waiting for the refund you promised in March.",
    "Great crew on the flight from Nice today, thank you!",
    "Love the new lounge, and boarding was quick.",
    "We landed early and the bags were already there. Well done.",
    "Thanks for the help with my booking, problem solved in two minutes.",
    "Does flight AP208 leave from terminal 2 or 3?",
    "Air Paradis opens a route between Lyon and Porto in May.",
    "What is the weight limit for a cabin bag?",
    "Boarding now for Lisbon.",
    "Encore deux heures de retard, aucune information, c'est lamentable.",
    "Valise perdue depuis cinq jours et personne ne répond. Honteux.",
    "Vol annulé la veille du départ, service client injoignable. Plus jamais.",
    "Le pire vol de ma vie : siège cassé, hôtesse désagréable, repas froid.",
    "Merci à l'équipage du vol de ce matin, vraiment adorable.",
    "Super voyage, à l'heure et très confortable !",
    "Bravo pour la rapidité du remboursement.",
    "Bonjour, à quelle heure ouvre l'enregistrement pour Tunis ?",
    "Air Paradis lance une liaison entre Nantes et Dakar.",
    "Je prends l'avion demain pour Montréal.",
    "We were told the delay was one hour, then two, then four; we slept on the floor of the terminal with two children, and \
     in the morning the desk said that it was the weather, which was fine everywhere else. I want an answer.",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::ClassifierInput;
    use crate::text::Profile;

    /// Gives every text the same probabilities.
    struct Fixed([f32; 3]);

    impl Classifier for Fixed {
        fn model(&self) -> &str {
            "fixed"
        }

        fn profile(&self) -> Profile {
            Profile::Transformer
        }

        fn classify(&mut self, inputs: &[ClassifierInput<'_>]) -> Result<Vec<Prediction>, ClassifyError> {
            Ok(inputs.iter().map(|_| Prediction::from_probabilities(self.0)).collect())
        }
    }

    #[test]
    fn a_flipped_label_or_a_probability_far_off_is_a_disagreement() {
        let probes = Probes::measure(&mut Fixed([0.7, 0.2, 0.1]), &PROBE_TEXTS).unwrap();
        let check = |found| probes.find_disagreement(&mut Fixed(found));
        assert_eq!(check([0.7, 0.2, 0.1]), None);
        assert_eq!(check([0.6, 0.3, 0.1]), None);
        assert!(check([0.4, 0.5, 0.1]).unwrap().contains("is negative in f32 and neutral here"));
        assert!(check([0.95, 0.05, 0.0]).unwrap().contains("negative with probability 0.700 in f32 and 0.950 here"));
        assert!(check([0.7, f32::NAN, 0.1]).unwrap().contains("NaN"));
    }

    #[test]
    fn a_text_on_the_border_may_change_sides() {
        let probes = Probes::measure(&mut Fixed([0.45, 0.4, 0.15]), &PROBE_TEXTS[..1]).unwrap();
        assert_eq!(probes.find_disagreement(&mut Fixed([0.42, 0.43, 0.15])), None);
    }
}
