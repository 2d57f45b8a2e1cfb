//! Checks the host of a request (RFC 9112, section 3.2), against DNS rebinding.
//!
//! In such an attack, a page resolves its own name to this machine's address after it was loaded. To the browser,
//! the service then has the page's origin, so neither CORS nor the check of `Origin` stops it. Its requests still
//! carry the page's name in `Host`, so a host that isn't allowed is rejected before anything else is read.

use std::{net::IpAddr, str::FromStr, sync::Arc};

use axum::http::{HeaderMap, HeaderValue, Uri, Version, header, uri::Authority};

use crate::http::{
    negotiate::cors::Origin,
    problem::{Problem, ProblemKind},
};

mod name;
mod page;

pub use name::AllowedHost;
use name::HostName;
pub(in crate::http) use page::{is_same_authority, requested_authority};

/// The URL under which clients reach the service: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    url: String,
    host: HostName,
}

impl PublicUrl {
    /// The URL, without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Whether nobody on the way can read cookies: the URL is https, or of this machine.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.url.starts_with("https://") || self.host.is_loopback()
    }
}

impl FromStr for PublicUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "write it as https://registry.example.org, without a path";
        let text = text.trim();
        let origin: Origin = text.strip_suffix('/').unwrap_or(text).parse().map_err(|_| FORM)?;
        let url = origin.to_string();
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).ok_or(FORM)?;
        let host = HostName::of_authority(rest).ok_or(FORM)?;
        Ok(Self { url, host })
    }
}

/// The reason for which a request's host is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum HostRefusal {
    /// HTTP/1.1 without a `Host`.
    Missing,
    /// More than one `Host`.
    Several,
    /// A malformed `Host` or target.
    Malformed,
    /// A host that isn't allowed.
    NotAllowed,
}

impl HostRefusal {
    /// The problem for the client. It doesn't list the allowed hosts, because a malicious page may read it.
    pub(in crate::http) fn problem(self, request_id: &str) -> Problem {
        let (kind, detail) = match self {
            Self::Missing => (ProblemKind::BadHost, "HTTP/1.1 requires a Host header"),
            Self::Several => (ProblemKind::BadHost, "send a single Host header"),
            Self::Malformed => {
                (ProblemKind::BadHost, "Host must be a host name or an IP address, optionally with a port")
            }
            Self::NotAllowed => (
                ProblemKind::Misdirected,
                "this service does not answer for that host; its operator can add the host to ALLOWED_HOSTS or PUBLIC_URL",
            ),
        };
        Problem::request(kind, detail, request_id)
    }
}

/// The allowed hosts. Clones share them.
#[derive(Clone, Debug)]
pub struct Hosts(Arc<Rules>);

#[derive(Debug)]
struct Rules {
    public_url: Option<PublicUrl>,
    named: Vec<AllowedHost>,
    /// Whether any host is allowed, because none is configured and other machines can reach the service.
    is_open: bool,
    /// Whether any IP address is allowed. Health probes and metrics collectors use addresses, which DNS can't rebind.
    takes_addresses: bool,
}

impl Hosts {
    /// Creates the rules for a service that listens on this address. Loopback names are always allowed, because no
    /// page of another machine has such a host.
    #[must_use]
    pub fn new(listen: IpAddr, public_url: Option<PublicUrl>, named: Vec<AllowedHost>) -> Self {
        let is_reachable = !listen.is_loopback();
        let is_open = is_reachable && public_url.is_none() && named.is_empty();
        Self(Arc::new(Rules { public_url, named, is_open, takes_addresses: is_reachable }))
    }

    /// Whether any host is allowed because none is configured.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.is_open
    }

    /// The public URL, if one is configured.
    #[must_use]
    pub fn public_url(&self) -> Option<&PublicUrl> {
        self.0.public_url.as_ref()
    }

    /// Whether this `Origin` is that of the public URL.
    pub(in crate::http) fn is_public_origin(&self, origin: &HeaderValue) -> bool {
        self.public_url().is_some_and(|public| public.as_str().as_bytes() == origin.as_bytes())
    }

    /// Whether this is the host of an https `PUBLIC_URL`: a proxy before the service ends TLS.
    pub(in crate::http) fn is_public_by_tls(&self, authority: &Authority) -> bool {
        let host = HostName::of_authority(authority.as_str());
        self.public_url()
            .is_some_and(|public| public.url.starts_with("https://") && Some(&public.host) == host.as_ref())
    }

    /// Whether this host always is the machine itself.
    pub(in crate::http) fn is_loopback(&self, authority: &Authority) -> bool {
        HostName::of_authority(authority.as_str()).is_some_and(|host| host.is_loopback())
    }

    /// Checks that the request's host is allowed: that of the request target, otherwise that of `Host`.
    ///
    /// # Errors
    /// [`HostRefusal`], also for a missing, repeated or malformed `Host`.
    pub(in crate::http) fn check(
        &self,
        version: Version,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), HostRefusal> {
        let mut given = headers.get_all(header::HOST).iter();
        let host = match (given.next(), given.next()) {
            (Some(host), None) => {
                let host = host.to_str().map_err(|_| HostRefusal::Malformed)?;
                Some(HostName::of_authority(host).ok_or(HostRefusal::Malformed)?)
            }
            (Some(_), Some(_)) => return Err(HostRefusal::Several),
            // HTTP/1.0 doesn't require Host. Some probes omit it, and browsers never do.
            (None, _) if version < Version::HTTP_11 => None,
            (None, _) => return Err(HostRefusal::Missing),
        };
        // A target in absolute form takes precedence over the header (RFC 9112, section 3.2.2).
        let target = match uri.authority() {
            Some(authority) => {
                Some(HostName::of_authority(authority.as_str()).ok_or(HostRefusal::Malformed)?)
            }
            None => host,
        };
        match target {
            Some(target) if !self.allows(&target) => Err(HostRefusal::NotAllowed),
            _ => Ok(()),
        }
    }

    fn allows(&self, host: &HostName) -> bool {
        let Rules { public_url, named, is_open, takes_addresses } = &*self.0;
        *is_open
            || host.is_loopback()
            || (*takes_addresses && matches!(host, HostName::Address(_)))
            || public_url.as_ref().is_some_and(|public| public.host == *host)
            || named.iter().any(|allowed| allowed.allows(host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hosts: &Hosts, host: &str) -> Result<(), HostRefusal> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_bytes(host.as_bytes()).unwrap());
        hosts.check(Version::HTTP_11, &Uri::from_static("/"), &headers)
    }

    fn hosts(listen: &str, public_url: Option<&str>, named: &[&str]) -> Hosts {
        let named = named.iter().map(|text| text.parse().unwrap()).collect();
        Hosts::new(listen.parse().unwrap(), public_url.map(|url| url.parse().unwrap()), named)
    }

    #[test]
    fn a_loopback_listener_answers_for_loopback_names_alone() {
        let local = hosts("127.0.0.1", None, &[]);
        for host in [
            "localhost",
            "LocalHost:8080",
            "localhost.",
            "app.localhost:3000",
            "127.0.0.1",
            "127.9.9.9:1",
            "[::1]",
            "[::1]:8080",
            "[::ffff:127.0.0.1]",
            "localhost:",
        ] {
            assert_eq!(check(&local, host), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "notlocalhost",
            "127.0.0.1.evil.example",
            "0.0.0.0:8080",
            "10.0.0.1",
            "[::]",
            "127.1",
            "2130706433",
            "0x7f.1",
            "*",
        ] {
            assert_eq!(check(&local, host), Err(HostRefusal::NotAllowed), "{host}");
        }
        for host in [
            "",
            ":8080",
            "a b",
            "a/b",
            "a@localhost",
            "localhost@evil",
            "localhost:x",
            "localhost:123456",
            "localhost:80:80",
            "[::1",
            "[localhost]",
            "::1",
            "[::1]x",
            "http://localhost",
            ".",
            "lo\u{fffd}calhost",
            "%6cocalhost",
        ] {
            assert_eq!(check(&local, host), Err(HostRefusal::Malformed), "{host}");
        }
    }

    #[test]
    fn cookies_are_private_over_tls_and_on_this_machine() {
        let is_private = |url: &str| url.parse::<PublicUrl>().unwrap().is_private();
        assert!(
            ["https://registry.example.org", "http://localhost:8080", "http://[::1]"]
                .map(is_private)
                .iter()
                .all(|is| *is)
        );
        assert!(!is_private("http://registry.example.org") && !is_private("http://10.0.0.1:8080"));
    }

    #[test]
    fn other_listeners_answer_for_any_host_until_one_is_named() {
        let open = hosts("0.0.0.0", None, &[]);
        assert!(open.is_open());
        assert_eq!(check(&open, "anything.example"), Ok(()));
        let named =
            hosts("0.0.0.0", Some("https://registry.example.org/"), &["*.internal.example", "[2001:db8::1]"]);
        assert!(!named.is_open());
        assert_eq!(named.public_url().map(PublicUrl::as_str), Some("https://registry.example.org"));
        for host in [
            "registry.example.org",
            "Registry.Example.org.:443",
            "a.internal.example",
            "a.b.internal.example:80",
            "10.1.2.3:8080",
            "[2001:db8::1]",
            "[2001:db8::2]:80",
            "localhost",
        ] {
            assert_eq!(check(&named, host), Ok(()), "{host}");
        }
        for host in
            ["internal.example", "evilinternal.example", "registry.example.org.evil.example", "example.org"]
        {
            assert_eq!(check(&named, host), Err(HostRefusal::NotAllowed), "{host}");
        }
        let local = hosts("::1", Some("https://registry.example.org"), &["10.1.2.3"]);
        assert_eq!(check(&local, "registry.example.org"), Ok(()));
        assert_eq!(check(&local, "10.1.2.3"), Ok(()));
        assert_eq!(check(&local, "10.1.2.4"), Err(HostRefusal::NotAllowed));
        let any = hosts("127.0.0.1", None, &["*"]);
        assert_eq!((check(&any, "anything.example"), any.is_open()), (Ok(()), false));
    }

    #[test]
    fn one_host_is_given_and_a_targets_own_counts() {
        let local = hosts("127.0.0.1", None, &[]);
        let ask = |version, target: &'static str, given: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for host in given {
                headers.append(header::HOST, HeaderValue::from_static(host));
            }
            local.check(version, &Uri::from_static(target), &headers)
        };
        let (old, new) = (Version::HTTP_10, Version::HTTP_11);
        assert_eq!(ask(new, "/", &[]), Err(HostRefusal::Missing));
        assert_eq!(ask(old, "/", &[]), Ok(()));
        assert_eq!(ask(old, "/", &["evil.example"]), Err(HostRefusal::NotAllowed));
        assert_eq!(ask(new, "/", &["localhost", "localhost"]), Err(HostRefusal::Several));
        assert_eq!(ask(new, "http://localhost/", &["evil.example"]), Ok(()));
        assert_eq!(ask(new, "http://evil.example/", &["localhost"]), Err(HostRefusal::NotAllowed));
        assert_eq!(ask(new, "http://me@localhost/", &["localhost"]), Err(HostRefusal::Malformed));
        assert_eq!(ask(new, "http://localhost/", &["a b"]), Err(HostRefusal::Malformed));
    }

    #[test]
    fn a_setting_that_is_no_host_or_address_is_refused() {
        for text in [
            "",
            "https://a.example",
            "a.example:80",
            "a.example/",
            "a*.example",
            "*.*.example",
            "*.10.0.0.1",
            "*.",
            "[::1",
        ] {
            assert!(text.parse::<AllowedHost>().is_err(), "{text}");
        }
        for text in [
            "",
            "a.example",
            "https://a.example/path",
            "https://a.example//",
            "ftp://a.example",
            "null",
            "file://",
        ] {
            assert!(text.parse::<PublicUrl>().is_err(), "{text}");
        }
    }
}
