//! Databases for tests are copies of a template, and the next copy drops those that are no longer used.

use embedded_postgres::SERVICE;
use sqlx::{Connection, PgConnection};

use crate::support::cluster::{self, Database};

#[tokio::test]
async fn a_test_has_a_fresh_copy_of_the_template() {
    let times = std::sync::atomic::AtomicU32::new(0);
    let make = async || {
        cluster::template("embedded.rs: one table", SERVICE, async |_: &str, url: &str| {
            times.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let mut session = PgConnection::connect(url).await.unwrap();
            sqlx::raw_sql("CREATE TABLE things (n int); INSERT INTO things VALUES (1)")
                .execute(&mut session)
                .await
                .unwrap();
        })
        .await
    };
    let (template, same) = tokio::join!(make(), make());
    assert_eq!(template, same);
    assert!(times.into_inner() <= 1, "the template is made at most once in this run");

    let (one, two) = tokio::join!(Database::fresh(&template), cluster::database(&template));
    let mut session = PgConnection::connect(&one.url).await.unwrap();
    sqlx::raw_sql("UPDATE things SET n = 2").execute(&mut session).await.unwrap();
    let mut session = PgConnection::connect(&two).await.unwrap();
    let n: i32 = sqlx::query_scalar("SELECT n FROM things").fetch_one(&mut session).await.unwrap();
    assert_eq!(n, 1);

    // A test can end the service's sessions as superuser.
    let mut admin = cluster::admin().await;
    let name: String =
        sqlx::query_scalar("SELECT current_database()::text").fetch_one(&mut session).await.unwrap();
    cluster::end_sessions(&mut admin, &name).await;
    session.ping().await.expect_err("its session was ended");

    // Making the next copy drops the databases of dropped values.
    let mut look = PgConnection::connect(&one.admin_url).await.unwrap();
    let name: String =
        sqlx::query_scalar("SELECT current_database()::text").fetch_one(&mut look).await.unwrap();
    drop(one);
    Database::fresh(&template).await;
    let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(&name)
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert!(!there);
}
