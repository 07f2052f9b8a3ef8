//! [`Key`]: signs webhook requests as <https://www.standardwebhooks.com> specifies: HMAC-SHA256 over
//! `id.timestamp.body`, so that a receiver can check the sender and the time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac::{self, HMAC_SHA256};

use crate::secret::Secret;

/// Marks a key in base64.
const PREFIX: &str = "whsec_";

/// The shared key.
#[derive(Clone)]
pub(super) struct Key(Vec<u8>);

impl Key {
    /// # Errors
    /// When the text after `whsec_` is not base64.
    pub(super) fn new(secret: &Secret) -> Result<Self, &'static str> {
        let text = secret.expose();
        match text.strip_prefix(PREFIX) {
            Some(encoded) => STANDARD.decode(encoded).map(Self).map_err(|_| "is not valid base64 after whsec_"),
            None => Ok(Self(text.as_bytes().to_vec())),
        }
    }

    /// `v1,BASE64`, the content of `webhook-signature`.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut signed = hmac::Context::with_key(&hmac::Key::new(HMAC_SHA256, &self.0));
        signed.update(format!("{id}.{timestamp}.").as_bytes());
        signed.update(body);
        format!("v1,{}", STANDARD.encode(signed.sign()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_signs_as_the_standard_does() {
        // The example of the specification's own libraries.
        let key = Key(STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap());
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
