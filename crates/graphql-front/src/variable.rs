//! The values of an operation's variables, by the types that it gives them (section 6.1.2).

use std::collections::HashMap;

use apollo_compiler::{Name, ast::Type, executable::Operation, parser::SourceSpan, schema::ExtendedType};
use async_graphql_parser::types::OperationType;
use async_graphql_value::{ConstValue, Name as OutName, indexmap::IndexMap};
use json_reader::{Json, Object};

use crate::{
    bind,
    document::{Document, PlanKey, Prepared},
    error::{Error, ErrorKind, Errors},
    limits::{Figure, within},
    literal::{Coerced, NUMBER_BYTES_MAX, Place, Reader, Variables},
    measure, normalize,
    schema::Inner,
    usage::Unknown,
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
    let known = Known::new(front, operation, variables)?;
    let cost = measure::cost(&document.tree, operation, variables, limits)?;
    let is_set = |name: &Name| known.coerced.get(name.as_str()) == Some(&ConstValue::Boolean(true));
    let steering = document.steering.get(&operation.name).map(Vec::as_slice).unwrap_or_default();
    if let Some(name) =
        steering.iter().find(|name| known.coerced.get(name.as_str()) == Some(&ConstValue::Null))
    {
        let message = format!("`${name}` is null, and @skip and @include take a Boolean");
        return Err(Error::new(ErrorKind::Variable, message).into());
    }
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

/// The values of an operation's variables, each coerced by its type. What is not in it was not given.
pub(crate) struct Known<'a> {
    coerced: HashMap<&'a str, ConstValue>,
    given: Option<&'a Object>,
    defaults: HashMap<&'a str, Json>,
}

impl<'a> Known<'a> {
    fn new(front: &Inner, operation: &'a Operation, given: Option<&'a Object>) -> Result<Self, Errors> {
        let mut known = Self { coerced: HashMap::new(), given, defaults: HashMap::new() };
        let mut errors = Vec::new();
        for definition in &operation.variables {
            let (name, ty) = (definition.name.as_str(), &*definition.ty);
            let mut values = Values { front, path: vec![format!("${name}")] };
            let coerced = match (given.and_then(|given| given.get(name)), &definition.default_value) {
                (Some(json), _) => values.coerce(json, ty).map(Some),
                (None, Some(default)) => {
                    let place = Place { ty, has_default: false };
                    let mut reader = Reader { front, variables: Unknown, path: values.path };
                    known.defaults.extend(reader.constant(default).map(|json| (name, json)));
                    match reader.read(default, &place) {
                        Ok(Coerced::Value(value)) => Ok(Some(value)),
                        Ok(Coerced::Absent | Coerced::Open) => Ok(None),
                        Err((what, _)) => Err(what),
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

impl Variables for &Known<'_> {
    fn at(&mut self, name: &Name, _: Option<&Place<'_>>, _: Option<SourceSpan>) -> Coerced {
        self.coerced.get(name.as_str()).cloned().map_or(Coerced::Absent, Coerced::Value)
    }

    fn json(&self, name: &Name) -> Option<&Json> {
        let given = self.given.and_then(|given| given.get(name.as_str()));
        given.or_else(|| self.defaults.get(name.as_str()))
    }
}

/// Reads values as JSON has them. Errors carry the path of the value that is wrong.
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
                (rule.coerce)(json)
                    .ok_or_else(|| self.fault(&format!("expected {}, found {}", rule.accepted, found(json))))
            }
            // Validation sees that a variable is of an input type.
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
                return Err(self.fault(&format!("{} has no field {:?}", defined.name, shortened(name))));
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

/// What was given, in words: a short number itself, of all else the kind.
fn found(json: &Json) -> &str {
    match json {
        Json::Number(number) if number.as_str().len() <= NUMBER_BYTES_MAX => number.as_str(),
        _ => json.kind(),
    }
}

/// A client's word, cut to what a message may repeat.
fn shortened(word: &str) -> String {
    word.chars().take(100).collect()
}
