//! An instance that can't follow the log doesn't say that nothing has happened.

use std::time::Duration;

use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::{City, next, until_bookmark, watch};
use crate::support::{App, socket::Frame};

/// A bookmark comes each ten seconds, and the instance may not have followed for five by then.
const ENDS_WITHIN: Duration = Duration::from_secs(40);

#[tokio::test]
async fn a_stream_of_an_instance_that_does_not_follow_ends_unavailable() {
    let app = App::start().await;
    let city = City::of(&app, &["a"]).await;
    let gateway = app.gateway().await;
    let mut socket = watch(&gateway, json!({})).await;
    until_bookmark(&mut socket).await;
    // The follower reads where the log begins, and nothing else of a stream that is open does.
    let mut holder = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let stop = "BEGIN; LOCK TABLE registry.log_floor IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(stop).execute(&mut holder).await.unwrap();
    let Frame::Message(ended) = socket.next_within(ENDS_WITHIN).await else { panic!("closed") };
    assert_eq!(ended["payload"]["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{ended}");
    assert!(app.door.hub.age() > Duration::from_secs(5), "it did follow");

    // Once it follows again, all is well.
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    app.caught_up().await;
    let mut socket = watch(&gateway, json!({})).await;
    until_bookmark(&mut socket).await;
    city.set_status("SUSPENDED").await;
    assert_eq!(next(&mut socket).await.0, "REMOVE");
}
