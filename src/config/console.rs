//! Settings of `console`.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use clap::Args;

/// The user and the service of a one-time address.
#[derive(Clone, Debug, Args)]
pub struct Console {
    /// The user to sign in: the `sub` claim of the user's tokens [default: me, if this service signs user tokens itself]
    #[arg(long)]
    pub subject: Option<String>,
    /// The `iss` claim of the user's tokens [default: the only issuer: JWT_ISSUER if set, else this service]
    #[arg(long)]
    pub issuer: Option<String>,
    /// Also make the user an operator, with access to all customers, when the address is used
    #[arg(long)]
    pub operator: bool,
    /// The URL at which a browser reaches the service; if unset, LISTEN by plain http
    #[arg(long, env = "PUBLIC_URL")]
    pub public_url: Option<String>,
    /// The address and port that the service listens on
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
}

impl Console {
    /// Returns the base of the service's addresses, without a slash at its end.
    ///
    /// # Errors
    /// A message when `PUBLIC_URL` isn't an address that a browser opens.
    pub fn base(&self) -> Result<String, String> {
        if let Some(url) = &self.public_url {
            let base = url.trim().trim_end_matches('/');
            let host = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
            return match host {
                Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']) => {
                    Ok(base.to_owned())
                }
                _ => Err(format!(
                    "PUBLIC_URL: {url:?}: write it as https://registry.example.org, without a path"
                )),
            };
        }
        let mut address = self.listen;
        if address.ip().is_unspecified() {
            let is_v4 = address.is_ipv4();
            address.set_ip(if is_v4 { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
        }
        Ok(format!("http://{address}"))
    }
}
