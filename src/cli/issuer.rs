//! `issuer`: makes the running instances read the issuers' keys again.

use clap::Subcommand;

use super::{Failure, print_line, with_context};
use crate::{config::Common, domain::Caller};

/// Manage the issuers of user tokens
#[derive(Debug, Subcommand)]
pub(super) enum Issuer {
    /// Make all running instances read the public keys of the issuers again, at once
    Refresh,
}

impl Issuer {
    pub(super) async fn run(self, common: &Common) -> Result<(), Failure> {
        with_context(common, async |context| match self {
            Self::Refresh => {
                context.registry.refresh_issuer_keys(&Caller::system("issuer")).await?;
                print_line(format_args!("all running instances read the issuers' keys again"))?;
                Ok(())
            }
        })
        .await
    }
}
