//! `console`: prints a one-time address that signs a browser in to the console, and opens it on a desktop.

use std::{
    fs::OpenOptions,
    io::{self, IsTerminal, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    process::{Command, Stdio},
};

use super::{Failure, operator::named_or_only, print_line, with_context};
use crate::{
    config::{Common, Console},
    domain::{
        Caller, Error, Registry,
        auth::jwt::LOCAL_ISSUER,
        session::{LINK_LIFETIME, NewSignInLink},
    },
};

/// The user whom an address signs in where nothing else is said, and this service signs user tokens itself.
const SUBJECT: &str = "me";
/// The file in the data folder that leads a browser to the address.
const FILE: &str = "open-console.html";

pub(super) async fn run(console: Console, common: &Common) -> Result<(), Failure> {
    let base = console.base().map_err(Failure::Usage)?;
    let address = with_context(common, async |context| {
        let issuer = named_or_only(&context.registry, console.issuer.clone())?;
        let subject = match &console.subject {
            Some(subject) => subject.as_str(),
            None if issuer == LOCAL_ISSUER => SUBJECT,
            None => {
                return Err(Failure::Usage(
                    "--subject is needed: this service doesn't sign user tokens itself".to_owned(),
                ));
            }
        };
        let who = (issuer.as_str(), subject);
        let system = Caller::system("console");
        let made = context.registry.create_sign_in_link(&system, who, console.operator).await;
        let link = made.map_err(|err| explain(err, subject))?;
        Ok(address(&base, &link))
    })
    .await?;
    print_line(format_args!(
        "Open this address in a browser: once, within {} minutes.",
        LINK_LIFETIME.num_minutes()
    ))?;
    print_line(format_args!("{address}"))?;
    if let Some(opener) = Common::opener().filter(|_| io::stdout().is_terminal()) {
        // The address is printed, whether or not a browser opens.
        if let Err(err) = open(opener, common, &address) {
            tracing::debug!(error = %err, "can't open a browser");
        }
    }
    Ok(())
}

/// Says what to do about a user who isn't known.
fn explain(err: Error, subject: &str) -> Failure {
    match err {
        Error::NotFound(_) => Failure::Usage(format!(
            "there is no user {subject:?}: make it an operator with --operator, or a member first (member add)"
        )),
        other => other.into(),
    }
}

/// The address of a link.
fn address(base: &str, NewSignInLink { secret, expires_at: _ }: &NewSignInLink) -> String {
    format!("{base}/auth/link/{secret}")
}

/// The one-time address for the first operator of a service that signs user tokens itself. `None` once there is an operator,
/// and when the address can't be made, which is logged.
pub(super) async fn first_address(registry: &Registry, base: &str) -> Option<String> {
    let system = Caller::system("serve");
    let made = async {
        let is_needed = registry.issuer()? == LOCAL_ISSUER && registry.operators(&system).await?.is_empty();
        Ok::<_, Error>(match is_needed {
            true => Some(registry.create_sign_in_link(&system, (LOCAL_ISSUER, SUBJECT), true).await?),
            false => None,
        })
    };
    match made.await {
        Ok(link) => link.map(|link| address(base, &link)),
        // Several issuers, so this service signs no tokens.
        Err(Error::Invalid { .. }) => None,
        Err(err) => {
            tracing::warn!(error = %err, "can't make an address to sign in by");
            None
        }
    }
}

/// Opens the address in a browser, by a file that only its owner can read: every user of a machine can list the arguments of
/// its processes.
fn open(opener: &str, common: &Common, address: &str) -> io::Result<()> {
    let folder: PathBuf = common.data_dir().map_err(io::Error::other)?;
    let file = folder.join(FILE);
    let mut page = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&file)?;
    writeln!(
        page,
        "<!doctype html><meta charset=\"utf-8\"><title>Agent Registry</title><meta http-equiv=\"refresh\" content=\"0;url={address}\">"
    )?;
    let mut command = Command::new(opener);
    command.arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map(drop)
}
