//! Relay connections: one macro for their shape, one place for their cursors.

use async_graphql::SimpleObject;

use super::error::refuse;
pub(in crate::graphql) use crate::domain::page::cursor;
use crate::domain::{Page, PageArgs, page::key};

/// Where a page stands in its list (Relay Cursor Connections, section 5).
#[derive(Clone, Debug, SimpleObject)]
pub struct PageInfo {
    /// Whether there is more after this page.
    has_next_page: bool,
    /// Whether there is more before this page.
    has_previous_page: bool,
    /// The first edge's cursor; null on an empty page.
    start_cursor: Option<String>,
    /// The last edge's cursor; null on an empty page.
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

/// The four arguments of a connection, checked.
pub(in crate::graphql) fn page_args<K: std::str::FromStr + Clone>(
    first: Option<i32>,
    after: Option<&str>,
    last: Option<i32>,
    before: Option<&str>,
) -> async_graphql::Result<PageArgs<K>> {
    let args = || {
        let after = after.map(|cursor| key("after", cursor)).transpose()?;
        let before = before.map(|cursor| key("before", cursor)).transpose()?;
        PageArgs::new(first, after, last, before)
    };
    args().map_err(|err| refuse(&err))
}

/// A connection and its edge, for one noun. The page is read at once; the count only when it is asked for.
macro_rules! connection {
    ($(#[$doc:meta])* $Connection:ident, $Edge:ident, $Node:ident, $key:expr, $count:expr, $Count:ty) => {
        $(#[$doc])*
        pub struct $Connection {
            page: $crate::domain::Page<$Node>,
            count: $Count,
        }

        #[doc = concat!("One ", stringify!($Node), " in a page.")]
        #[derive(Clone, async_graphql::SimpleObject)]
        pub struct $Edge {
            /// Where it stands in the list: pass it as `after` or `before`.
            cursor: String,
            /// The object itself.
            node: $Node,
        }

        impl $Connection {
            pub(in crate::graphql) fn new(page: $crate::domain::Page<$Node>, count: $Count) -> Self {
                Self { page, count }
            }
        }

        $(#[$doc])*
        #[async_graphql::Object]
        impl $Connection {
            /// The page's objects, each with its cursor.
            async fn edges(&self) -> Vec<$Edge> {
                let edge = |node: &$Node| $Edge { cursor: $crate::graphql::schema::page::cursor(($key)(node)), node: node.clone() };
                self.page.items.iter().map(edge).collect()
            }

            /// The page's objects.
            async fn nodes(&self) -> $crate::graphql::engine::inline_fields::Listed<$Node> {
                $crate::graphql::engine::inline_fields::Listed(self.page.items.clone())
            }

            /// Where the page stands in its list.
            async fn page_info(&self) -> $crate::graphql::schema::page::PageInfo {
                $crate::graphql::schema::page::PageInfo::new(&self.page, |node| $crate::graphql::schema::page::cursor(($key)(node)))
            }

            /// How many objects the whole list has. Counted only when asked for.
            async fn total_count(&self) -> async_graphql::Result<u64> {
                $count(&self.count).await
            }
        }
    };
}

pub(in crate::graphql) use connection;
