//! Any bytes as a run that waits for MLflow: an error of one line, or a run that is written and read back as it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie::lab::mlflow::Entry;

fuzz_target!(|bytes: &[u8]| match Entry::decode(bytes) {
    Ok(entry) => {
        let written = entry.encode();
        let again = Entry::decode(&written).expect("what was read is written so that it can be read");
        assert_eq!(again.encode(), written);
    }
    Err(error) => assert!(!error.to_string().contains('\n'), "an error of several lines: {error}"),
});
