//! Sessions of the console: signing in and out, the cookie's rules, and what ends a session.

pub(crate) mod browser;
mod cookie;
mod ends;
mod link;
mod log;
mod page;

pub(crate) use browser::Browser;
