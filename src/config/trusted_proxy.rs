//! [`TrustedProxy`]: an address, or a network, whose word about where a request comes from counts. Part of `[web]`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// As text `127.0.0.1` or `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TrustedProxy(IpNet);

impl TrustedProxy {
    pub fn contains(&self, address: IpAddr) -> bool {
        // A server that listens on IPv6 sees IPv4 peers as `::ffff:10.0.0.1`.
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for TrustedProxy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network
            .map(Self)
            .map_err(|_| format!("{text:?} is not an address; expected e.g. \"127.0.0.1\" or \"10.0.0.0/8\""))
    }
}

impl TryFrom<String> for TrustedProxy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() { self.0.addr().fmt(f) } else { self.0.fmt(f) }
    }
}

impl From<TrustedProxy> for String {
    fn from(proxy: TrustedProxy) -> Self {
        proxy.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_are_read() {
        let of = |text: &str| text.parse::<TrustedProxy>();
        let within = |network: &str, address: &str| of(network).unwrap().contains(address.parse().unwrap());
        assert!(within("127.0.0.1", "127.0.0.1") && !within("127.0.0.1", "127.0.0.2"));
        assert!(within("10.0.0.0/8", "10.9.8.7") && within("10.0.0.0/8", "::ffff:10.1.1.1"));
        assert!(within("fd00::/8", "fd00::1") && !within("fd00::/8", "10.0.0.1"));
        for text in ["127.0.0.1", "10.0.0.0/8", "fd00::/8"] {
            assert_eq!(of(text).unwrap().to_string(), text);
        }
        assert!(of("proxy").unwrap_err().contains("\"proxy\" is not an address") && of("10.0.0.0/33").is_err());
    }
}
