//! Any bytes as a spooled run: a one-line error, or a run that is written and read back unchanged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie::lab::mlflow::SpooledRun;

fuzz_target!(|bytes: &[u8]| match SpooledRun::decode(bytes) {
    Ok(run) => {
        let written = run.encode();
        let again = SpooledRun::decode(&written).expect("a written run can be read");
        assert_eq!(again.encode(), written);
    }
    Err(error) => assert!(!error.to_string().contains('\n'), "a multi-line error: {error}"),
});
