//! Parses host names in requests and in `ALLOWED_HOSTS`.

use std::{
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

/// The host part of an authority, normalised for comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HostName {
    /// An IP address. DNS can't rebind it.
    Address(IpAddr),
    /// A registered name, in lower case and without a trailing dot.
    Name(String),
}

impl HostName {
    /// Parses the host of `uri-host [ ":" port ]` (RFC 9110, section 7.2). `None` for other forms, such as one with
    /// user information.
    pub(super) fn of_authority(text: &str) -> Option<Self> {
        let end =
            if text.starts_with('[') { text.find(']')? + 1 } else { text.find(':').unwrap_or(text.len()) };
        let (host, port) = text.split_at_checked(end)?;
        let is_port = |port: &str| port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
        if !port.is_empty() && !port.strip_prefix(':').is_some_and(is_port) {
            return None;
        }
        Self::parse(host)
    }

    /// Parses a host without a port.
    fn parse(host: &str) -> Option<Self> {
        if let Some(literal) = host.strip_prefix('[') {
            let address: Ipv6Addr = literal.strip_suffix(']')?.parse().ok()?;
            return Some(Self::Address(IpAddr::V6(address).to_canonical()));
        }
        if let Ok(IpAddr::V4(address)) = host.parse() {
            return Some(Self::Address(address.into()));
        }
        let name = host.strip_suffix('.').unwrap_or(host);
        // `reg-name` of RFC 3986 without percent-encoding, which DNS names don't need.
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte);
        let is_name = !name.is_empty() && name.bytes().all(is_known);
        is_name.then(|| Self::Name(name.to_ascii_lowercase()))
    }

    /// Whether the host always resolves to the machine itself (RFC 6761, section 6.3).
    pub(super) fn is_loopback(&self) -> bool {
        match self {
            Self::Address(address) => address.is_loopback(),
            Self::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        }
    }
}

/// A member of `ALLOWED_HOSTS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedHost {
    /// Any host: `*`.
    Any,
    /// `*.example.org`: every name with this suffix, which begins with a dot.
    Below(String),
    /// This host, on any port.
    Host(ExactHost),
}

/// A single host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExactHost(HostName);

impl FromStr for AllowedHost {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "write it as registry.example.org, *.example.org, 10.1.2.3, [2001:db8::1] or *, without scheme and port";
        let text = text.trim();
        if text == "*" {
            return Ok(Self::Any);
        }
        let below = text.strip_prefix("*.");
        match HostName::parse(below.unwrap_or(text)).ok_or(FORM)? {
            HostName::Name(name) if name.contains('*') => Err(FORM),
            HostName::Name(name) if below.is_some() => Ok(Self::Below(format!(".{name}"))),
            HostName::Address(_) if below.is_some() => Err(FORM),
            host => Ok(Self::Host(ExactHost(host))),
        }
    }
}

impl AllowedHost {
    pub(super) fn allows(&self, host: &HostName) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Below(suffix), HostName::Name(name)) => name.ends_with(suffix.as_str()),
            (Self::Below(_), HostName::Address(_)) => false,
            (Self::Host(ExactHost(allowed)), host) => allowed == host,
        }
    }
}
