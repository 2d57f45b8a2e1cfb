//! `audit`: verifies the change log, prints its signed head, and exports a customer's excerpt.

use std::{
    fs,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use tokio::io::AsyncWriteExt;

use super::{
    Failure,
    draft::{Draft, finish},
    print_line,
    progress::spinner,
    with_context,
};
use crate::{
    app::{CliContext, signing_key},
    config::Common,
    domain::{
        Caller,
        audit::{Excerpt, ExcerptError, ExcerptReport, ExcerptVerifier, Progress, Report, SignedHead},
    },
    id::CustomerId,
};

/// Subcommands of `audit`.
#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Check the hash chain of the whole log, and that each agent's active version is the last one activated in it;
    /// exits with 3 if anything was tampered with, 2 for a wrong file, 5 without a database
    Verify(Verify),
    /// Print the log's head, signed with the signing key. Keep it elsewhere: `audit verify --head` later detects a
    /// truncated or rewritten log
    Head,
    /// Write a customer's entries in full, and only the hashes of all others, for `audit verify --file`
    Export(Export),
}

/// Arguments of `audit verify`.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// A file of signed heads from `audit head`, one per line; the log must still contain them
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,
    /// Verify a customer's excerpt instead, without a database; - reads standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Arguments of `audit export`.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The id of the customer whose entries are exported
    #[arg(long, value_name = "ID")]
    customer: CustomerId,
    /// The file to write; it is replaced only when the export has succeeded [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Audit {
    pub(super) async fn run(self, common: &Common) -> Result<(), Failure> {
        match self {
            Self::Verify(command) => command.run(common).await,
            Self::Head => head(common).await,
            Self::Export(command) => command.run(common).await,
        }
    }
}

async fn head(common: &Common) -> Result<(), Failure> {
    let key = signing_key(common)?;
    let work = async |context: &CliContext| Ok(context.registry.sign_head(&key).await?);
    let (SignedHead { log_id, revision, position, .. }, signed) = with_context(common, work).await?;
    eprintln!("log {log_id}, entry {revision}.{position}, signed by key {}", key.public());
    print_line(format_args!("{signed}"))?;
    Ok(())
}

impl Verify {
    async fn run(self, common: &Common) -> Result<(), Failure> {
        let Self { head, file } = self;
        let signed_heads = head.as_deref().map(read_signed_heads).transpose()?.unwrap_or_default();
        match file {
            Some(file) => offline(&file, signed_heads),
            None => {
                with_context(common, async |context: &CliContext| online(context, &signed_heads).await).await
            }
        }
    }
}

/// Makes the error for a file that can't be read.
fn unreadable(file: &Path) -> impl Fn(io::Error) -> Failure {
    move |err| Failure::File(format!("can't read {}: {err}", file.display()))
}

/// Reads the signed heads in a file and checks their signatures.
fn read_signed_heads(file: &Path) -> Result<Vec<SignedHead>, Failure> {
    let unreadable = unreadable(file);
    let text = fs::read_to_string(file).map_err(&unreadable)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let signed_heads: Vec<SignedHead> = lines
        .map(|line| match SignedHead::open(line) {
            Ok((signed_head, key)) => {
                eprintln!(
                    "entry {}.{} was signed {} by key {key}",
                    signed_head.revision, signed_head.position, signed_head.sealed_at
                );
                Ok(signed_head)
            }
            Err(err) => Err(Failure::File(format!("{}: {err}", file.display()))),
        })
        .collect::<Result<_, _>>()?;
    if signed_heads.is_empty() {
        return Err(Failure::File(format!("{} contains no signed head", file.display())));
    }
    Ok(signed_heads)
}

async fn online(context: &CliContext, signed_heads: &[SignedHead]) -> Result<(), Failure> {
    let bar = spinner("{spinner} {msg} {elapsed}");
    let progress = &mut |progress: Progress| {
        bar.set_message(match progress {
            Progress::Log(done, all) => format!("revision {done} of {all}"),
            Progress::Agents(done) => format!("{done} agents"),
        });
        bar.tick();
    };
    let report = context.registry.verify_log(&Caller::system("audit"), signed_heads, progress).await;
    bar.finish_and_clear();
    let Report { head, entries, agents, unpublished, skipped, violation } = report?;
    print_line(format_args!("log {}, revisions {} to {}", head.log_id, head.floor.next(), head.revision))?;
    if let Some(violation) = violation {
        return Err(Failure::Audit(violation.to_string()));
    }
    print_line(format_args!(
        "{entries} entries verified; {agents} agents verified, each serves the version that was activated last"
    ))?;
    if unpublished > 0 {
        print_line(format_args!(
            "for {unpublished} of these agents the entry of the publication has been pruned"
        ))?;
    }
    report_unchecked_heads(skipped, signed_heads.len())?;
    print_line(format_args!("head {}.{} {}", head.revision, head.position, hex::encode(&head.chain_hash)))?;
    Ok(())
}

/// Reports signed heads that precede the retained log and so couldn't be checked. Fails when none could be checked.
fn report_unchecked_heads(skipped: usize, all: usize) -> Result<(), Failure> {
    if skipped == 0 {
        return Ok(());
    }
    print_line(format_args!("{skipped} of {all} signed heads precede the retained log and weren't checked"))?;
    if skipped < all {
        return Ok(());
    }
    Err(Failure::Audit(
        "all signed heads precede the retained log, so a rewritten log can't be detected".to_owned(),
    ))
}

fn offline(file: &Path, signed_heads: Vec<SignedHead>) -> Result<(), Failure> {
    let unreadable = unreadable(file);
    let reader: Box<dyn BufRead> = match file.to_str() {
        Some("-") => Box::new(io::stdin().lock()),
        _ => Box::new(BufReader::new(fs::File::open(file).map_err(&unreadable)?)),
    };
    let all = signed_heads.len();
    let mut follower = ExcerptVerifier::new(signed_heads);
    for line in reader.lines() {
        let line = line.map_err(&unreadable)?;
        follower.take(&line).map_err(|err| match err {
            // Another file, rather than an excerpt that somebody changed.
            ExcerptError::Line(1, _) if !ExcerptVerifier::is_beginning(&line) => {
                Failure::File(format!("{} isn't an excerpt of `audit export`: {err}", file.display()))
            }
            ExcerptError::OtherLog(_) => Failure::File(format!("{}: {err}", file.display())),
            err => Failure::Audit(err.to_string()),
        })?;
    }
    let followed = follower.end().map_err(|err| Failure::Audit(err.to_string()))?;
    let ExcerptReport { log_id, customer_id, own, others, end, skipped } = followed;
    print_line(format_args!("log {log_id}, customer {customer_id}"))?;
    print_line(format_args!(
        "{own} entries of this customer verified, among {others} of others; the last is {end}"
    ))?;
    report_unchecked_heads(skipped, all)
}

impl Export {
    async fn run(self, common: &Common) -> Result<(), Failure> {
        let Self { customer, output } = self;
        let mut draft = Draft::open(output.as_deref())?;
        let work = async |context: &CliContext| {
            let excerpt = context.registry.excerpt(&Caller::system("audit"), customer).await?;
            write(excerpt, &mut draft).await
        };
        with_context(common, work).await?;
        draft.publish(output.as_deref())
    }
}

async fn write(mut excerpt: Excerpt, draft: &mut Draft) -> Result<(), Failure> {
    let bar = spinner("{spinner} {msg} {elapsed}");
    let mut file = draft.writer()?;
    while let Some(lines) = excerpt.next().await? {
        file.write_all(lines.as_bytes()).await?;
        let (done, all) = excerpt.progress();
        bar.set_message(format!("revision {done} of {all}"));
        bar.tick();
    }
    bar.finish_and_clear();
    Ok(finish(file).await?)
}
