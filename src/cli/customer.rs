//! `customer`: creates and lists customers (tenants).

use clap::{Args, Subcommand};

use super::{Failure, print_line, with_context};
use crate::{
    app::CliContext,
    config::Common,
    domain::{
        Caller, PageArgs,
        customer::CreateCustomer,
        customer_list::{CustomerListing, ListedCustomer},
    },
};

/// The page size when listing customers.
const PAGE: i32 = 100;

/// Create and list customers
#[derive(Debug, Subcommand)]
pub(super) enum Customer {
    /// Create a customer; the last line printed is its id
    Create(New),
    /// Print all customers, one per line: id, name
    List,
}

/// A new customer.
#[derive(Debug, Args)]
pub(super) struct New {
    /// The customer's name, 1 to 200 characters; need not be unique
    #[arg(long)]
    name: String,
}

impl Customer {
    pub(super) async fn run(self, common: &Common) -> Result<(), Failure> {
        with_context(common, async |context| self.act(context).await).await
    }

    async fn act(self, context: &CliContext) -> Result<(), Failure> {
        let (registry, system) = (&context.registry, Caller::system("customer"));
        match self {
            Self::Create(New { name }) => {
                let made =
                    registry.create_customer(&system, CreateCustomer { name, external_id: None }).await?;
                print_line(format_args!("{}", made.value.id))?;
            }
            Self::List => {
                let (reading, mut after) = (registry.reading(&system), None);
                loop {
                    let page = PageArgs::new(Some(PAGE), after, None, None)?;
                    let page = registry.customers(&reading, &CustomerListing::default(), &page).await?;
                    for ListedCustomer { customer, .. } in &page.items {
                        print_line(format_args!("{}\t{}", customer.id, customer.name))?;
                    }
                    after = page.items.last().map(|listed| listed.position.clone());
                    if !page.has_next {
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}
