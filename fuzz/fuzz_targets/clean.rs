//! Cleaning any text: no panic, single spaces, and cleaning twice changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie::text::{Profile, clean};

fuzz_target!(|text: &str| {
    for profile in [Profile::Classic, Profile::Words, Profile::Transformer] {
        let once = clean(profile, text);
        assert_eq!(clean(profile, &once), once, "{profile:?} is not idempotent");
        assert!(once.trim() == once && !once.contains("  "), "{profile:?} leaves spaces: {once:?}");
    }
});
