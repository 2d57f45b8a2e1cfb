//! The client address of a request: that of the connection, or, behind trusted proxies, the one in `X-Forwarded-For`.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Once},
};

use axum::http::{Extensions, HeaderMap};
use ipnet::IpNet;

use super::connection::ConnectionHandle;
use crate::http::negotiate::header_list::members;

/// The networks of proxies whose `X-Forwarded-For` is trusted.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl FromIterator<IpNet> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

/// Limits the warning about an untrusted `X-Forwarded-For` to one per process.
static WARNED: Once = Once::new();

impl TrustedProxies {
    /// Whether this is the address of a trusted proxy.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client address of a request: the last one in `X-Forwarded-For` that isn't a trusted proxy's. The client
    /// may have forged the addresses before it.
    #[must_use]
    pub fn client(&self, extensions: &Extensions, headers: &HeaderMap) -> IpAddr {
        let mut client = ConnectionHandle::of(extensions).address().ip().to_canonical();
        let forwarded: Vec<&str> = members(headers, "x-forwarded-for").collect();
        if !forwarded.is_empty() && !self.trusts(client) {
            WARNED.call_once(|| {
                tracing::warn!(
                    peer = %client,
                    "ignoring X-Forwarded-For from an untrusted address: if it is your proxy, add it to TRUSTED_PROXIES; otherwise all its clients share one rate limit"
                );
            });
        }
        for hop in forwarded.into_iter().rev() {
            if !self.trusts(client) {
                break;
            }
            let Some(address) = address(hop) else { break };
            client = address.to_canonical();
        }
        client
    }
}

/// Parses an address with or without a port, in the forms that proxies write.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.trim_matches(['[', ']']).parse().ok();
    bare.or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use axum::extract::ConnectInfo;

    use super::*;

    #[test]
    fn only_who_is_trusted_is_believed() {
        let proxies: TrustedProxies =
            ["10.0.0.0/8", "::1/128"].iter().map(|text| text.parse().unwrap()).collect();
        let cases = [
            ("192.0.2.7", "", "192.0.2.7"),
            ("192.0.2.7", "198.51.100.1", "192.0.2.7"),
            ("10.1.1.1", "", "10.1.1.1"),
            ("10.1.1.1", "198.51.100.1", "198.51.100.1"),
            ("10.1.1.1", "198.51.100.1:4711", "198.51.100.1"),
            ("10.1.1.1", "[2001:db8::1]:4711", "2001:db8::1"),
            ("::1", "2001:db8::1", "2001:db8::1"),
            ("::ffff:10.1.1.1", "198.51.100.1", "198.51.100.1"),
            ("10.1.1.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
            ("10.1.1.1", "198.51.100.1, 10.2.2.2", "198.51.100.1"),
            ("10.1.1.1", "6.6.6.6, nonsense", "10.1.1.1"),
        ];
        for (peer, forwarded, client) in cases {
            let (mut extensions, mut headers) = (Extensions::new(), HeaderMap::new());
            extensions.insert(ConnectInfo(ConnectionHandle::new(SocketAddr::new(peer.parse().unwrap(), 1))));
            if !forwarded.is_empty() {
                headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            }
            let expected: IpAddr = client.parse().unwrap();
            assert_eq!(proxies.client(&extensions, &headers), expected, "{peer} for {forwarded}");
        }
    }
}
