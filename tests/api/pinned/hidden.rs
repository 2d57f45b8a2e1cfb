//! What a credential may not read as a pinned version is not there, with the same bytes.

use agent_registry::domain::{KeyScope, ServiceScope, member::Role, service_token::CreateServiceToken};
use serde_json::{Value, json};

use super::{NOBODY, path, pinned, responses};
use crate::{
    environment::{self, Stage},
    support::{Answer, App, Calls, app::Setup},
};

/// An absent version has the same bytes for each reason.
#[tokio::test]
async fn what_is_not_there_is_told_from_nothing_by_no_byte() {
    let stage = Stage::new(2).await;
    stage.activate(1, "production").await;
    let sibling = stage.editor.agent(&stage.customer, "Sibling").await;
    let sibling_version = stage.editor.publish(&sibling, "sibling").await;
    stage.editor.activate(&sibling, &sibling_version).await.at("/activateVersion/revision");
    let town = stage.operator.customer("Town").await;
    let foreign = stage.operator.agent(&town, "Foreign").await;
    let foreign_version = stage.operator.publish(&foreign, "foreign").await;
    stage.operator.activate(&foreign, &foreign_version).await.at("/activateVersion/revision");
    let (agent, served, unserved) = (&stage.agent, &stage.versions[0], &stage.versions[1]);
    let program = stage.app.program(&stage.customer, [KeyScope::ConfigsRead]).await;
    let limited = stage.app.limited_gateway([stage.customer.as_str()]).await;
    for client in [&*program, &*limited, &*stage.editor] {
        let missing = responses(client, NOBODY, NOBODY).await.join("\n").replace("VERSION", "AGENT");
        for (agent, version) in [
            (agent, unserved),
            (agent, &sibling_version),
            (&sibling, served),
            (agent, &foreign_version),
            (&foreign, &foreign_version),
            (&foreign, served),
            (served, agent),
        ] {
            let absent = responses(client, agent, version).await.join("\n").replace("VERSION", "AGENT");
            assert_eq!(absent, missing);
        }
        let plain = |answer: Answer| {
            let mut body = answer.body;
            body["request_id"].take();
            body["instance"].take();
            (answer.status.as_u16(), body)
        };
        let nobody = plain(client.get(&path(NOBODY, NOBODY)).await);
        for (agent, version) in
            [(agent.as_str(), "x"), ("x", served.as_str()), ("%00", "%FF"), (agent.as_str(), "..%2F")]
        {
            assert_eq!(plain(client.get(&path(agent, version)).await), nobody, "{agent} {version}");
        }
        assert_eq!(pinned(client, agent, served).await, 1, "the comparison isn't of refusals of all");
    }
}

/// Each wall holds alone: the selects, and row-level security.
#[tokio::test]
async fn only_what_served_where_a_credential_may_look_is_read() {
    for (is_row_level_security_only, is_row_level_security_off) in
        [(false, false), (true, false), (false, true)]
    {
        let setup = Setup { is_row_level_security_only, is_row_level_security_off, ..Setup::default() };
        let app = App::set_up(setup).await;
        let operator = app.operator().await;
        let (customer, town) = (operator.customer("City").await, operator.customer("Town").await);
        for key in ["staging", "dev"] {
            environment::create(&operator, &customer, key).await;
        }
        let agent = operator.agent(&customer, "Helper").await;
        let mut versions = Vec::new();
        // The first served in staging and in production, the second in staging alone, and the third still serves there.
        for places in [&["staging", "production"][..], &["staging"], &["staging"]] {
            let version = operator.publish(&agent, "prompt").await;
            for place in places {
                let input = json!({ "agentId": agent, "versionId": version, "environment": place });
                assert_eq!(
                    operator.activate_input(input).await.at("/activateVersion/userErrors"),
                    &json!([])
                );
            }
            versions.push(version);
        }
        let token = |key: &str| CreateServiceToken {
            environments: Some(vec![key.to_owned()]),
            ..CreateServiceToken::for_all("gateway", ServiceScope::ALL)
        };
        for (key, numbers) in [
            ("staging", json!([1, 2, 3])),
            ("production", json!([1, null, null])),
            ("dev", json!([null, null, null])),
        ] {
            let program = app.limited_program(&customer, [KeyScope::ConfigsRead], &[key]).await;
            let gateway = app.service_with(token(key)).await;
            for client in [&*program, &*gateway] {
                for (version, number) in versions.iter().zip(numbers.as_array().unwrap()) {
                    assert_eq!(&pinned(client, &agent, version).await, number, "{key}");
                }
            }
        }
        let outside = app.limited_gateway([town.as_str()]).await;
        let stranger = app.member(&town, Role::Admin).await;
        for client in [&*outside, &*stranger] {
            assert_eq!(pinned(client, &agent, &versions[0]).await, Value::Null);
        }
    }
}
