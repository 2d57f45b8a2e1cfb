//! Which claims of an issuer's tokens name a person's address, name and roles, and what they mean here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use json_reader::Json;

use super::token::VerifiedToken;
use crate::{
    clock::Instant,
    domain::{
        email::{domain_of, normalize_email},
        member::Role,
    },
    id::CustomerId,
};

/// The longest display name that is read from a token, in characters.
const NAME_CHARS_MAX: usize = 200;
/// The claims whose text is a list, separated by spaces (RFC 8693, section 4.2).
const SPACE_SEPARATED: [&str; 2] = ["scope", "scp"];

/// The name of a claim, or the path to one inside another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimName(Vec<String>);

impl ClaimName {
    /// Parses the name of a claim, such as `groups`, or a JSON pointer (RFC 6901), such as `/realm_access/roles`.
    ///
    /// # Errors
    /// Why the text names no claim, as a message for the operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        let path = match text.strip_prefix('/') {
            None => vec![text.to_owned()],
            Some(path) => path.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect(),
        };
        if path.iter().any(String::is_empty) {
            return Err(
                "name a claim, such as groups, or a path to one, such as /realm_access/roles".to_owned()
            );
        }
        Ok(Self(path))
    }

    fn named(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }

    /// Returns the claim's value. A null counts as absent.
    pub(super) fn find<'c>(&self, claims: &'c Json) -> Option<&'c Json> {
        self.0.iter().try_fold(claims, |value, step| value.get(step)).filter(|value| !value.is_null())
    }

    /// Whether the token names another place for the claim (OpenID Connect Core 1.0, section 5.6.2). Entra ID does so
    /// for a user with more than 200 groups.
    fn is_elsewhere(&self, claims: &Json) -> bool {
        let Some(name) = self.0.first() else { return false };
        let has_overage = name == "groups" && claims.get("hasgroups").and_then(Json::as_bool) == Some(true);
        has_overage || claims.get("_claim_names").is_some_and(|names| names.get(name).is_some())
    }
}

impl fmt::Display for ClaimName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [name] => f.write_str(name),
            path => {
                path.iter().try_for_each(|step| write!(f, "/{}", step.replace('~', "~0").replace('/', "~1")))
            }
        }
    }
}

/// A role at a customer that a value of the roles claim gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembershipRule {
    /// The value, such as the name of a group.
    pub value: String,
    /// The customer.
    pub customer: CustomerId,
    /// The role there.
    pub role: Role,
}

/// How the claims of an issuer's tokens are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimMapping {
    /// The claim that contains the audience.
    pub audience: ClaimName,
    /// The claim that contains the e-mail address.
    pub email: ClaimName,
    /// The claim that says whether the issuer has verified the address.
    pub email_verified: ClaimName,
    /// Whether every address of the issuer counts as verified, because its administrators assign the addresses.
    pub is_email_trusted: bool,
    /// The domains whose addresses the issuer can verify, in lower case. Any domain when empty.
    pub email_domains: Vec<String>,
    /// The claim that contains the display name.
    pub name: ClaimName,
    /// The claim that contains roles or groups. Without it, tokens give no memberships.
    pub roles: Option<ClaimName>,
    /// The memberships that values of the roles claim give.
    pub memberships: Vec<MembershipRule>,
}

impl Default for ClaimMapping {
    /// The claims of OpenID Connect Core 1.0, section 5.1.
    fn default() -> Self {
        Self {
            audience: ClaimName::named("aud"),
            email: ClaimName::named("email"),
            email_verified: ClaimName::named("email_verified"),
            is_email_trusted: false,
            email_domains: Vec::new(),
            name: ClaimName::named("name"),
            roles: None,
            memberships: Vec::new(),
        }
    }
}

/// The memberships that a token's claims give: at each customer, the highest of the roles.
pub type ClaimedMemberships = BTreeMap<CustomerId, Role>;

/// The claims of a valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The issuer of the token: `iss`.
    pub issuer: String,
    /// The user's name at the issuer: `sub`.
    pub subject: String,
    /// The user's e-mail address, in lower case, if the token contains one.
    pub email: Option<String>,
    /// Whether the issuer has verified that the address is the user's.
    pub email_verified: bool,
    /// The user's display name, if the token contains one.
    pub name: Option<String>,
    /// The memberships that the token gives. `None` when the issuer's tokens give none, or when this token doesn't
    /// contain the roles but names another place for them.
    pub memberships: Option<ClaimedMemberships>,
    /// When the token expires.
    pub expires_at: Instant,
}

impl ClaimMapping {
    /// Reads the claims of a valid token of this issuer.
    pub(super) fn read(&self, issuer: &str, token: VerifiedToken) -> Claims {
        let Self { audience: _, email, email_verified, is_email_trusted, email_domains, name, .. } = self;
        let VerifiedToken { claims, subject, expires_at, algorithm: _ } = token;
        let text = |name: &ClaimName| name.find(&claims).and_then(Json::as_str);
        let address = text(email).and_then(|address| normalize_email(address).ok());
        let is_vouched_for = |address: &String| {
            let domain = domain_of(address);
            let is_own = email_domains.is_empty() || email_domains.iter().any(|own| own == domain);
            is_own && (*is_email_trusted || is_true(email_verified, &claims))
        };
        let is_sane = |name: &&str| {
            let is_short = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
            is_short && !name.chars().any(char::is_control)
        };
        Claims {
            email_verified: address.as_ref().is_some_and(is_vouched_for),
            email: address,
            name: text(name).map(str::trim).filter(is_sane).map(str::to_owned),
            memberships: self.memberships(&claims),
            issuer: issuer.to_owned(),
            subject,
            expires_at,
        }
    }

    fn memberships(&self, claims: &Json) -> Option<ClaimedMemberships> {
        let name = self.roles.as_ref()?;
        let mut given = ClaimedMemberships::new();
        let Some(value) = name.find(claims) else {
            // Most issuers leave the claim out for a user without any role.
            return (!name.is_elsewhere(claims)).then_some(given);
        };
        let is_list = name.0.last().is_some_and(|last| SPACE_SEPARATED.contains(&last.as_str()));
        let values: BTreeSet<&str> = match (value.as_array(), value.as_str()) {
            (Some(list), _) => list.iter().filter_map(Json::as_str).collect(),
            (None, Some(text)) if is_list => text.split(' ').collect(),
            (None, Some(text)) => [text].into(),
            (None, None) => BTreeSet::new(),
        };
        for MembershipRule { value, customer, role } in &self.memberships {
            if values.contains(value.as_str()) {
                given.entry(*customer).and_modify(|has| *has = (*has).max(*role)).or_insert(*role);
            }
        }
        Some(given)
    }
}

/// Whether a claim is `true`, or `"true"`, which Cognito and others send. A claim with another name than OpenID
/// Connect's may also be 1 or `"1"`, as Entra ID's `xms_edov` is.
fn is_true(name: &ClaimName, claims: &Json) -> bool {
    let may_be_one = name.0 != ["email_verified"];
    name.find(claims).is_some_and(|claim| {
        let is_one =
            || claim.as_str() == Some("1") || claim.as_number().is_some_and(|one| one.as_str() == "1");
        claim.as_bool() == Some(true) || claim.as_str() == Some("true") || (may_be_one && is_one())
    })
}
