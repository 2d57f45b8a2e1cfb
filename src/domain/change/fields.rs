//! The details of an entry of the log as fields that changed, with the names of the GraphQL schema.

use json_reader::{Json, Limits, Object};

use super::{Change, ChangeAction};
use crate::domain::{
    Error, Result,
    diff::{FieldChange, FieldChangeKind},
};

impl Change {
    /// A part of the entry's details, as JSON; `None` if there is none, or it is null.
    ///
    /// # Errors
    /// [`Error::Internal`] for details that aren't JSON, which a constraint of the table excludes.
    pub fn detail(&self, name: &str) -> Result<Option<String>> {
        let details = json_reader::read(self.details.as_bytes(), &Limits::DEPTH_ONLY);
        let details = details.map_err(|err| Error::Internal(Box::new(err)))?;
        Ok(details.get(name).filter(|part| !part.is_null()).map(Json::to_text))
    }

    /// The fields that changed, each with its path in the schema, in the order of the entry. A detail that is no field, such
    /// as the reason of an activation, is added.
    ///
    /// # Errors
    /// [`Error::Internal`] for details that aren't JSON, which a constraint of the table excludes.
    pub fn field_changes(&self) -> Result<Vec<FieldChange>> {
        let details = json_reader::read(self.details.as_bytes(), &Limits::DEPTH_ONLY);
        let details = details.map_err(|err| Error::Internal(Box::new(err)))?;
        let Some(details) = details.as_object() else { return Ok(Vec::new()) };
        let (before, after) = (details.get("before"), details.get("after"));
        let mut found = Vec::new();
        match (before.and_then(Json::as_object), after.and_then(Json::as_object)) {
            // The entry has one value, without its field's name.
            (None, None) => found.extend(change(whole_path(self.action), before, after)),
            (before, after) => members(before, after, &mut found),
        }
        for name in details.keys().filter(|name| !["before", "after"].contains(name)) {
            let path = match name {
                "environment" => path(&["environment", "key"]),
                other => vec![camel_case(other)],
            };
            found.extend(change(path, None, details.get(name)));
        }
        Ok(found)
    }
}

/// The changes of an object's members: those of the newer one in its order, and then those that only the older one has.
fn members(before: Option<&Object>, after: Option<&Object>, found: &mut Vec<FieldChange>) {
    let empty = Object::new();
    let (before, after) = (before.unwrap_or(&empty), after.unwrap_or(&empty));
    let removed = before.keys().filter(|name| !after.contains_key(name));
    for name in after.keys().chain(removed) {
        found.extend(change(member_path(name), before.get(name), after.get(name)));
    }
}

/// The change of one value; `None` if it is the same, or there is none.
fn change(path: Vec<String>, before: Option<&Json>, after: Option<&Json>) -> Option<FieldChange> {
    let present = |value: Option<&Json>| value.filter(|value| !value.is_null()).cloned();
    let (before, after) = (present(before), present(after));
    let kind = match (&before, &after) {
        (None, None) => return None,
        (None, Some(_)) => FieldChangeKind::Added,
        (Some(_), None) => FieldChangeKind::Removed,
        (Some(before), Some(after)) if before == after => return None,
        (Some(_), Some(_)) => FieldChangeKind::Changed,
    };
    Some(FieldChange { path, kind, before, after })
}

/// The field of a value that entries of this kind have without its name.
fn whole_path(action: ChangeAction) -> Vec<String> {
    match action {
        ChangeAction::CustomerPlanSet => path(&["plan"]),
        ChangeAction::CustomerBillingSet => path(&["billing", "status"]),
        ChangeAction::MemberSet | ChangeAction::MemberRemoved => path(&["role"]),
        _ => Vec::new(),
    }
}

/// The field of a member of `before` and `after`. Ids are those of the objects that the schema has in their place.
fn member_path(name: &str) -> Vec<String> {
    match name {
        "owner_id" => path(&["owner", "id"]),
        "version_id" => path(&["activeVersion", "id"]),
        "promote_from" => path(&["promoteFrom", "id"]),
        "environment" => path(&["key"]),
        "environment_ids" => path(&["environments"]),
        "replaced_by" => path(&["replacedById"]),
        other => vec![camel_case(other)],
    }
}

fn path(steps: &[&str]) -> Vec<String> {
    steps.iter().map(|step| (*step).to_owned()).collect()
}

fn camel_case(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let mut letters = part.chars();
        let initial = letters.next().map(|letter| letter.to_ascii_uppercase());
        text + &initial.into_iter().chain(letters).collect::<String>()
    })
}
