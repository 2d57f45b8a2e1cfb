//! An instance that can't follow the log doesn't send bookmarks as if nothing had happened.

use std::time::Duration;

use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::{City, next, until_bookmark, watch};
use crate::support::{App, socket::Frame};

/// A bookmark is due every ten seconds. The instance may not have followed the log for five seconds by then.
const ENDS_WITHIN: Duration = Duration::from_secs(40);

#[tokio::test]
async fn a_stream_of_an_instance_that_does_not_follow_ends_unavailable() {
    let app = App::start().await;
    let city = City::of(&app, &["a"]).await;
    let gateway = app.gateway().await;
    let mut socket = watch(&gateway, json!({})).await;
    until_bookmark(&mut socket).await;
    // Of all statements for an open stream, only the tail's reads `log_floor`.
    let mut holder = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let stop = "BEGIN; LOCK TABLE registry.log_floor IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(stop).execute(&mut holder).await.unwrap();
    let Frame::Message(ended) = socket.next_within(ENDS_WITHIN).await else { panic!("closed") };
    assert_eq!(ended["payload"]["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{ended}");
    assert!(app.door.hub.age() > Duration::from_secs(5), "the instance followed the log");

    // Once the instance follows the log again, subscriptions work.
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    app.caught_up().await;
    let mut socket = watch(&gateway, json!({})).await;
    until_bookmark(&mut socket).await;
    city.set_status("SUSPENDED").await;
    assert_eq!(next(&mut socket).await.0, "REMOVE");
}
