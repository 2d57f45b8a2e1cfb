//! Coerces the values of an operation's variables to their declared types (section 6.1.2).

use std::{borrow::Cow, cell::Cell, collections::HashMap};

use apollo_compiler::{Name, ast::Type, executable::Operation, parser::SourceSpan, schema::ExtendedType};
use async_graphql_parser::types::OperationType;
use async_graphql_value::{ConstValue, Name as OutName, indexmap::IndexMap};
use json_reader::{Json, Number, Object};

use crate::{
    bind,
    document::{Document, PlanKey, Prepared},
    error::{Error, ErrorKind, Errors, shortened},
    limits::{Figure, within},
    literal::{
        self, Coerced, InputPosition, LiteralError, NUMBER_BYTES_MAX, Reader, ScalarVariable, Variables,
    },
    measure, normalize,
    schema::Inner,
    usage::UnresolvedVariables,
};

pub(crate) fn prepare(
    front: &Inner,
    document: &Document,
    operation_name: Option<&str>,
    variables: Option<&Object>,
) -> Result<Prepared, Errors> {
    let limits = &front.limits;
    let operation = document.operation(operation_name)?;
    within(Figure::Values, variables.map_or(0, Object::count_values), limits.values)?;
    let known = VariableValues::new(front, operation, variables)?;
    let length = |name: &str| match known.coerced.get(name) {
        Some(ConstValue::Number(number)) => {
            number.as_u64().map(|length| usize::try_from(length).unwrap_or(usize::MAX))
        }
        _ => None,
    };
    let cost = measure::cost(&document.tree, operation, &length, limits)?;
    let is_set = |name: &Name| match known.coerced.get(name.as_str()) {
        Some(ConstValue::Boolean(is_set)) => Some(*is_set),
        _ => None,
    };
    let steering = document.steering.get(&operation.name).map(Vec::as_slice).unwrap_or_default();
    let key = PlanKey {
        operation: operation.name.as_ref().map(ToString::to_string),
        steering: steering.iter().map(is_set).collect(),
    };
    let Document { source, tree, .. } = document;
    let make = || normalize::normalize(front, source, tree, operation, Some(&is_set));
    let plan = document.plan(key, make)?;
    let kind = match operation.operation_type {
        apollo_compiler::ast::OperationType::Query => OperationType::Query,
        apollo_compiler::ast::OperationType::Mutation => OperationType::Mutation,
        apollo_compiler::ast::OperationType::Subscription => OperationType::Subscription,
    };
    let executable = bind::bind(front, source, &plan, kind, &known)?;
    Ok(Prepared { executable, kind, cost })
}

/// The coerced values of an operation's variables. Variables without a value and without a default are missing.
pub(crate) struct VariableValues<'a> {
    coerced: HashMap<&'a str, ConstValue>,
    /// The values to use within a custom scalar, if they differ from the coerced ones; see [`keeps_text`].
    texts: HashMap<&'a str, Cow<'a, Json>>,
    /// The total size of all uses of values so far, in bytes.
    bytes: Cell<usize>,
    /// The maximum of `bytes`.
    limit: usize,
}

impl<'a> VariableValues<'a> {
    fn new(front: &Inner, operation: &'a Operation, given: Option<&'a Object>) -> Result<Self, Errors> {
        let mut known = Self {
            coerced: HashMap::new(),
            texts: HashMap::new(),
            bytes: Cell::new(0),
            limit: front.limits.value_bytes,
        };
        let mut errors = Vec::new();
        for definition in &operation.variables {
            let (name, ty) = (definition.name.as_str(), &*definition.ty);
            let mut values = Values { front, path: vec![format!("${name}")] };
            let keeps_text = keeps_text(front, ty);
            let coerced = match (given.and_then(|given| given.get(name)), &definition.default_value) {
                (Some(json), _) => {
                    known.texts.extend(keeps_text.then_some((name, Cow::Borrowed(json))));
                    values.coerce(json, ty).map(Some)
                }
                (None, Some(default)) => {
                    let place = InputPosition { ty, has_default: false };
                    let mut reader = Reader::new(front, UnresolvedVariables, format!("${name}"));
                    let text = if keeps_text { reader.constant(default) } else { None };
                    known.texts.extend(text.map(|json| (name, Cow::Owned(json))));
                    match reader.read(default, &place) {
                        Ok(Coerced::Value(value)) => Ok(Some(value)),
                        Ok(Coerced::Absent | Coerced::Unresolved) => Ok(None),
                        Err(LiteralError::Wrong(what, _)) => Err(what),
                        Err(LiteralError::TooMuch(error)) => return Err(error.into()),
                    }
                }
                (None, None) if ty.is_non_null() => Err(format!("`${name}` of type {ty} has no value")),
                (None, None) => Ok(None),
            };
            match coerced {
                Ok(value) => known.coerced.extend(value.map(|value| (name, value))),
                Err(what) => errors.push(Error::new(ErrorKind::Variable, what)),
            }
        }
        match Errors::of(errors, front.limits.errors) {
            Some(errors) => Err(errors),
            None => Ok(known),
        }
    }
}

impl VariableValues<'_> {
    /// Adds the size of one use of a value. Fails when the total exceeds the limit.
    fn charge(&self, bytes: usize) -> Result<(), Error> {
        let sum = self.bytes.get().saturating_add(bytes);
        self.bytes.set(sum);
        within(Figure::ValueBytes, sum, self.limit)
    }
}

impl Variables for &VariableValues<'_> {
    fn at(&mut self, name: &Name, _: &InputPosition<'_>, _: Option<SourceSpan>) -> Result<Coerced, Error> {
        let Some(value) = self.coerced.get(name.as_str()) else { return Ok(Coerced::Absent) };
        self.charge(weight(value))?;
        Ok(Coerced::Value(value.clone()))
    }

    fn within_scalar(&mut self, name: &Name, _: Option<SourceSpan>) -> Result<ScalarVariable, Error> {
        let Some(value) = self.coerced.get(name.as_str()) else { return Ok(ScalarVariable::Absent) };
        // The value is copied twice: as a tree, and in the text into which the scalar is serialised.
        self.charge(2 * weight(value))?;
        let text = self.texts.get(name.as_str()).map(|json| Json::clone(json));
        Ok(ScalarVariable::Json(text.unwrap_or_else(|| json_of(value))))
    }
}

/// Returns the approximate size of a value, in bytes.
pub(crate) fn weight(value: &ConstValue) -> usize {
    let own = size_of::<ConstValue>();
    own + match value {
        ConstValue::String(text) => text.len(),
        ConstValue::Binary(text) => text.len(),
        ConstValue::List(values) => values.iter().map(weight).sum(),
        ConstValue::Object(fields) => {
            fields.iter().map(|(name, value)| name.len() + own + weight(value)).sum()
        }
        ConstValue::Null | ConstValue::Number(_) | ConstValue::Boolean(_) | ConstValue::Enum(_) => 0,
    }
}

/// Whether a variable of this type is used within a custom scalar as it was sent: a Float, so that its token is
/// kept, or a value of a custom scalar. For other types the coerced value is used.
fn keeps_text(front: &Inner, ty: &Type) -> bool {
    let (Type::Named(name) | Type::NonNullNamed(name)) = ty else { return false };
    name == "Float" || front.scalars.contains_key(name.as_str())
}

/// A coerced value as JSON.
fn json_of(value: &ConstValue) -> Json {
    match value {
        ConstValue::Null => Json::Null,
        ConstValue::Boolean(value) => Json::Bool(*value),
        ConstValue::Number(number) => {
            Number::from_token(&number.to_string()).map_or(Json::Null, Json::Number)
        }
        ConstValue::String(text) => Json::String(text.clone()),
        ConstValue::Enum(name) => Json::String(name.to_string()),
        // Binary values contain JSON text, serialised by a scalar's rule.
        ConstValue::Binary(text) => {
            json_reader::read(text, &json_reader::Limits::DEPTH_ONLY).unwrap_or(Json::Null)
        }
        ConstValue::List(values) => Json::Array(values.iter().map(json_of).collect()),
        ConstValue::Object(fields) => {
            Json::Object(fields.iter().map(|(name, value)| (name.to_string(), json_of(value))).collect())
        }
    }
}

/// Coerces JSON values. Errors contain the path of the wrong value.
struct Values<'a> {
    front: &'a Inner,
    path: Vec<String>,
}

impl Values<'_> {
    fn coerce(&mut self, json: &Json, ty: &Type) -> Result<ConstValue, String> {
        match (ty, json) {
            (Type::Named(_) | Type::List(_), Json::Null) => Ok(ConstValue::Null),
            (Type::NonNullNamed(_) | Type::NonNullList(_), Json::Null) => {
                Err(self.fault(&format!("expected {ty}, found null")))
            }
            (Type::List(item) | Type::NonNullList(item), Json::Array(values)) => {
                let mut all = Vec::with_capacity(values.len());
                for (index, value) in values.iter().enumerate() {
                    self.path.push(format!("[{index}]"));
                    all.push(self.coerce(value, item)?);
                    self.path.pop();
                }
                Ok(ConstValue::List(all))
            }
            (Type::List(item) | Type::NonNullList(item), _) => {
                Ok(ConstValue::List(vec![self.coerce(json, item)?]))
            }
            (Type::Named(name) | Type::NonNullNamed(name), _) => self.named(json, name, ty),
        }
    }

    fn named(&mut self, json: &Json, name: &Name, ty: &Type) -> Result<ConstValue, String> {
        let front = self.front;
        match front.schema.types.get(name) {
            Some(ExtendedType::Enum(defined)) => match json {
                Json::String(word) if defined.values.contains_key(word.as_str()) => {
                    Ok(ConstValue::Enum(OutName::new(word)))
                }
                Json::String(_) => {
                    let values: Vec<&str> = defined.values.keys().map(|name| name.as_str()).collect();
                    Err(self.fault(&format!("expected {name}, one of {}", values.join(", "))))
                }
                _ => Err(self.fault(&format!("expected {ty}, found {}", found(json)))),
            },
            Some(ExtendedType::InputObject(defined)) => match json {
                Json::Object(fields) => self.object(fields, defined),
                _ => Err(self.fault(&format!("expected {ty}, found {}", found(json)))),
            },
            Some(ExtendedType::Scalar(_)) => {
                let rule =
                    front.scalar(name).ok_or_else(|| self.fault(&format!("{name} takes no values")))?;
                (rule.coerce)(json).map_err(|path| {
                    let found =
                        if path.is_root() { format!(", found {}", found(json)) } else { String::new() };
                    let path = format!("{}{}", self.path.concat(), literal::within(&path));
                    format!("`{path}`: expected {}{found}", rule.accepted)
                })
            }
            // Unreachable: validation ensures that a variable has an input type.
            _ => Err(self.fault(&format!("{ty} takes no values"))),
        }
    }

    fn object(
        &mut self,
        fields: &Object,
        defined: &apollo_compiler::schema::InputObjectType,
    ) -> Result<ConstValue, String> {
        let mut all = IndexMap::with_capacity(fields.len());
        for (name, value) in fields.iter() {
            let Some(field) = defined.fields.get(name) else {
                return Err(self.fault(&format!("{} has no field {}", defined.name, shortened(name))));
            };
            self.path.push(format!(".{name}"));
            all.insert(OutName::new(name), self.coerce(value, &field.ty)?);
            self.path.pop();
        }
        let missing = defined.fields.iter().find(|(name, field)| {
            field.ty.is_non_null() && field.default_value.is_none() && !fields.contains_key(name.as_str())
        });
        match missing {
            Some((name, field)) => {
                Err(self.fault(&format!("the field `{name}` of type {} is missing", field.ty)))
            }
            None => Ok(ConstValue::Object(all)),
        }
    }

    fn fault(&self, what: &str) -> String {
        format!("`{}`: {what}", self.path.concat())
    }
}

/// Describes a value for a message: a short number is quoted, other values are named by kind.
fn found(json: &Json) -> &str {
    match json {
        Json::Number(number) if number.as_str().len() <= NUMBER_BYTES_MAX => number.as_str(),
        _ => json.kind(),
    }
}
