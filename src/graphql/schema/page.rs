//! Relay connections: the macro that defines a connection and its edge, and the checks of page arguments.

use async_graphql::{Enum, SimpleObject};

use super::error::to_graphql_error;
use crate::domain::{InputErrors, Page, PageArgs, page::ListId};

/// The kinds of lists. Their names are hashed into cursors, so they never change.
pub(in crate::graphql) use crate::domain::page::kinds::{
    ACTIVATIONS, AGENTS, API_KEYS, CHANGES, CUSTOMERS, GATEWAYS, INVITATIONS, MEMBERS, OWNED_AGENTS,
    SERVICE_TOKENS, USERS, VERSIONS, WATCHERS,
};

/// The direction of an order. Objects without a value come last in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum OrderDirection {
    /// The smallest value first: A before B, earlier before later.
    Asc,
    /// The greatest value first.
    Desc,
}

/// The position of a page within its list (Relay Cursor Connections, section 5).
#[derive(Clone, Debug, SimpleObject)]
pub struct PageInfo {
    /// Whether the list continues after this page. When you page with `last`: whether `before` was given.
    has_next_page: bool,
    /// Whether the list has objects before this page. When you page with `first`: whether `after` was given.
    has_previous_page: bool,
    /// The first edge's cursor, to pass as `before`; null on an empty page.
    start_cursor: Option<String>,
    /// The last edge's cursor, to pass as `after`; null on an empty page.
    end_cursor: Option<String>,
}

impl PageInfo {
    pub(in crate::graphql) fn new<T>(page: &Page<T>, cursor: impl Fn(&T) -> String) -> Self {
        Self {
            has_next_page: page.has_next,
            has_previous_page: page.has_previous,
            start_cursor: page.items.first().map(&cursor),
            end_cursor: page.items.last().map(&cursor),
        }
    }
}

/// Checks a connection's four arguments, and decodes the cursors, which must be of this list.
pub(in crate::graphql) fn page_args<K: std::str::FromStr + Clone>(
    list: &ListId,
    first: Option<i32>,
    after: Option<&str>,
    last: Option<i32>,
    before: Option<&str>,
) -> async_graphql::Result<PageArgs<K>> {
    let mut errors = InputErrors::default();
    let after = errors.take(after.map(|cursor| list.key("after", cursor)).transpose()).flatten();
    let before = errors.take(before.map(|cursor| list.key("before", cursor)).transpose()).flatten();
    errors.and(PageArgs::new(first, after, last, before)).map_err(|err| to_graphql_error(&err))
}

/// Defines the connection and the edge of one object type. The page is already read; the count is read once, when a
/// client asks for `totalCount` or `totalCountIsExact`.
macro_rules! connection {
    ($(#[$doc:meta])* $Connection:ident, $Edge:ident, $Node:ident, $key:expr, $count:expr, $Count:ty) => {
        $(#[$doc])*
        pub struct $Connection {
            page: $crate::domain::Page<$Node>,
            list: $crate::domain::page::ListId,
            count: $Count,
            counted: tokio::sync::OnceCell<$crate::domain::BoundedCount>,
        }

        #[doc = concat!("One ", stringify!($Node), " of a page, with its cursor.")]
        #[derive(Clone, async_graphql::SimpleObject)]
        pub struct $Edge {
            /// The object's position in the list: pass it as `after` or `before` to the same list.
            cursor: String,
            /// The object at this position.
            node: $Node,
        }

        impl $Connection {
            pub(in crate::graphql) fn new(
                page: $crate::domain::Page<$Node>,
                list: $crate::domain::page::ListId,
                count: $Count,
            ) -> Self {
                Self { page, list, count, counted: tokio::sync::OnceCell::new() }
            }

            async fn counted(&self) -> async_graphql::Result<$crate::domain::BoundedCount> {
                self.counted.get_or_try_init(|| $count(&self.count)).await.copied()
            }
        }

        $(#[$doc])*
        #[async_graphql::Object]
        impl $Connection {
            /// The page's objects, each with its cursor, in the order of the list.
            async fn edges(&self) -> Vec<$Edge> {
                let edge = |node: &$Node| $Edge { cursor: self.list.cursor(($key)(node)), node: node.clone() };
                self.page.items.iter().map(edge).collect()
            }

            /// The page's objects without cursors, in the order of the list.
            async fn nodes(&self) -> &[$Node] {
                &self.page.items
            }

            /// The first and last cursor of the page, and whether the list continues.
            async fn page_info(&self) -> $crate::graphql::schema::page::PageInfo {
                $crate::graphql::schema::page::PageInfo::new(&self.page, |node| self.list.cursor(($key)(node)))
            }

            /// The number of objects on all pages together, 10,000 at most. It usually counts rows, so ask only if you
            /// show it.
            async fn total_count(&self) -> async_graphql::Result<u64> {
                Ok(self.counted().await?.total())
            }

            /// False if the list has more than 10,000 objects: `totalCount` is 10,000 then. It costs no second count
            /// beside `totalCount`.
            async fn total_count_is_exact(&self) -> async_graphql::Result<bool> {
                Ok(self.counted().await?.is_exact())
            }
        }
    };
}

pub(in crate::graphql) use connection;
