//! Sessions of the console: signing in and out, the cookie's rules, what it downloads, and what ends a session.

pub(crate) mod browser;
mod cookie;
mod download;
mod ends;
mod link;
mod log;
mod page;
mod table;

pub(crate) use browser::{Browser, new_link};
