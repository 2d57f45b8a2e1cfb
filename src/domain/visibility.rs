//! Visibility keys: which callers may share a rendered response.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{
    Caller, EnvironmentFilter, KeyPrincipal, KeyScope, Principal, ServicePrincipal, ServiceScope,
    member::Role,
};
use crate::id::{ApiKeyId, CustomerId, UserId};

/// Visibility key: callers with equal keys get identical results for the same query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VisibilityKey<'a> {
    /// Sees everything.
    System,
    /// Sees what these scopes allow, of all customers or of the listed ones, in these environments.
    Service(&'a BTreeSet<ServiceScope>, Option<&'a BTreeSet<CustomerId>>, &'a EnvironmentFilter),
    /// Sees what these scopes allow, in these environments of this customer. The key's id is part of it, since a key
    /// sees more of itself than of others.
    ApiKey(ApiKeyId, CustomerId, &'a BTreeSet<KeyScope>, &'a EnvironmentFilter),
    /// Sees what the user's roles allow; the flag is for operators. The user's id is part of it, since a user sees
    /// more of itself than of others.
    User(UserId, bool, &'a BTreeMap<CustomerId, Role>),
}

impl VisibilityKey<'_> {
    /// The key as bytes. Different keys have different bytes, and renaming types or variants doesn't change them.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let id = |id: Uuid| id.into_bytes();
        match self {
            Self::System => vec![0],
            Self::Service(scopes, customers, environments) => {
                let mut bytes = vec![if customers.is_some() { 4 } else { 1 }];
                if let Some(customers) = customers {
                    bytes.extend(u64::try_from(customers.len()).unwrap_or(u64::MAX).to_be_bytes());
                    customers.iter().for_each(|customer| bytes.extend(id((*customer).into())));
                }
                scopes.iter().for_each(|scope| push_text(&mut bytes, scope.as_str()));
                push_environments(&mut bytes, environments);
                bytes
            }
            Self::ApiKey(key, customer, scopes, environments) => {
                let mut bytes = vec![2];
                bytes.extend(id((*key).into()));
                bytes.extend(id((*customer).into()));
                scopes.iter().for_each(|scope| push_text(&mut bytes, scope.as_str()));
                push_environments(&mut bytes, environments);
                bytes
            }
            Self::User(user, operator, memberships) => {
                let mut bytes = vec![3];
                bytes.extend(id((*user).into()));
                bytes.push(u8::from(*operator));
                for (customer, role) in *memberships {
                    bytes.extend(id((*customer).into()));
                    bytes.push(match role {
                        Role::Viewer => 0,
                        Role::Editor => 1,
                        Role::Admin => 2,
                    });
                }
                bytes
            }
        }
    }
}

/// Appends a text after its length, so that different lists of texts have different bytes.
fn push_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
    bytes.extend(text.bytes());
}

/// Appends the environments of a caller that doesn't reach all, after a byte with which no text begins.
fn push_environments(bytes: &mut Vec<u8>, environments: &EnvironmentFilter) {
    if let EnvironmentFilter::Only(keys) = environments {
        bytes.push(u8::MAX);
        keys.iter().for_each(|key| push_text(bytes, key.as_str()));
    }
}

impl Caller {
    /// The caller's visibility key.
    #[must_use]
    pub fn visibility(&self) -> VisibilityKey<'_> {
        match &self.principal {
            Principal::System => VisibilityKey::System,
            Principal::Service(ServicePrincipal {
                id: _,
                name: _,
                scopes,
                customers,
                environments,
                expires_at: _,
            }) => VisibilityKey::Service(scopes, customers.as_ref(), environments),
            Principal::ApiKey(KeyPrincipal {
                id,
                customer_id,
                name: _,
                scopes,
                plan: _,
                expires_at: _,
                environments,
            }) => VisibilityKey::ApiKey(*id, *customer_id, scopes, environments),
            Principal::User(user) => VisibilityKey::User(user.id, user.operator, &user.memberships),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visibility_key_has_fixed_bytes() {
        let (customer, user) = (CustomerId::from(Uuid::from_u128(0xa1)), UserId::from(Uuid::from_u128(0xb2)));
        let key = ApiKeyId::from(Uuid::from_u128(0xc3));
        let services = [ServiceScope::ConfigsRead, ServiceScope::ActivationsWatch].into();
        let scopes = [KeyScope::AgentsRead].into();
        let customers = [customer].into();
        let (none_of_scopes, staging) =
            (BTreeSet::new(), EnvironmentFilter::Only(vec!["staging".parse().unwrap()]));
        let (roles, none) = ([(customer, Role::Editor)].into(), BTreeMap::new());
        let cases = [
            (VisibilityKey::System, "00".to_owned()),
            (
                VisibilityKey::Service(&services, None, &EnvironmentFilter::All),
                "01000000000000000c636f6e666967733a7265616400000000000000116163746976617469\
                 6f6e733a7761746368"
                    .to_owned(),
            ),
            (
                VisibilityKey::Service(&services, Some(&customers), &EnvironmentFilter::All),
                format!(
                    "040000000000000001{}000000000000000c636f6e666967733a7265616400000000000000116163746976617469\
                     6f6e733a7761746368",
                    hex_id(0xa1)
                ),
            ),
            (
                VisibilityKey::ApiKey(key, customer, &scopes, &EnvironmentFilter::All),
                format!("02{}{}000000000000000b6167656e74733a72656164", hex_id(0xc3), hex_id(0xa1)),
            ),
            (
                VisibilityKey::ApiKey(key, customer, &none_of_scopes, &staging),
                format!("02{}{}ff000000000000000773746167696e67", hex_id(0xc3), hex_id(0xa1)),
            ),
            (VisibilityKey::User(user, false, &none), format!("03{}00", hex_id(0xb2))),
            (VisibilityKey::User(user, true, &none), format!("03{}01", hex_id(0xb2))),
            (VisibilityKey::User(user, false, &roles), format!("03{}00{}01", hex_id(0xb2), hex_id(0xa1))),
        ];
        for (key, expected) in cases {
            assert_eq!(hex::encode(key.bytes()), expected, "{key:?}");
        }
    }

    fn hex_id(id: u128) -> String {
        format!("{id:032x}")
    }
}
