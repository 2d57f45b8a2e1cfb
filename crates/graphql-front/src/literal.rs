//! Reads literals by the expected type (sections 5.6 and 6.4.1), with or without the values of the variables in them.

use apollo_compiler::{
    Name, Node,
    ast::{Type, Value},
    parser::SourceSpan,
    schema::ExtendedType,
};
use async_graphql_value::{ConstValue, Name as OutName, indexmap::IndexMap};
use json_reader::{Json, Number, Object, Path};

use crate::{
    document::Source,
    error::{Error, ErrorKind},
    schema::Inner,
};

/// The maximum length of a number that a message quotes, in bytes.
pub(crate) const NUMBER_BYTES_MAX: usize = 40;

/// The coerced value of a literal.
#[derive(Clone, Debug)]
pub(crate) enum Coerced {
    Value(ConstValue),
    /// The literal is a variable without a value and without a default. An argument or an input field is then
    /// omitted, and an item of a list is null.
    Absent,
    /// Unknown, because the literal contains a variable whose value isn't known yet.
    Unresolved,
}

/// The position of a literal: its expected type.
pub(crate) struct InputPosition<'a> {
    pub(crate) ty: &'a Type,
    /// Whether the argument or input field has a default value.
    pub(crate) has_default: bool,
}

/// The value of a variable within a custom scalar.
pub(crate) enum ScalarVariable {
    Json(Json),
    /// The variable has no value and no default.
    Absent,
    /// The value isn't known yet.
    Unresolved,
}

/// Resolves variables in literals, or records their uses. Fails when the resolved values exceed
/// [`Limits::value_bytes`](crate::Limits::value_bytes).
pub(crate) trait Variables {
    /// Resolves a variable at this place.
    fn at(
        &mut self,
        name: &Name,
        place: &InputPosition<'_>,
        span: Option<SourceSpan>,
    ) -> Result<Coerced, Error>;
    /// Resolves a variable within a custom scalar, where values have no expected type.
    fn within_scalar(&mut self, name: &Name, span: Option<SourceSpan>) -> Result<ScalarVariable, Error>;
}

/// Reads literals. Errors contain the path of the wrong value.
pub(crate) struct Reader<'a, V> {
    front: &'a Inner,
    pub(crate) variables: V,
    /// The path of the current value, such as `input.tools[3].name`.
    path: Vec<String>,
    /// The number of lists and objects around the current value within a custom scalar.
    depth: usize,
}

/// Why a literal was rejected.
#[derive(Debug)]
pub(crate) enum LiteralError {
    /// The literal has the wrong type: the message, and the position in the text.
    Wrong(String, Option<SourceSpan>),
    /// The values exceed a limit.
    TooMuch(Error),
}

impl LiteralError {
    pub(crate) fn into_error(self, kind: ErrorKind, source: &Source) -> Error {
        match self {
            Self::Wrong(what, span) => Error::new(kind, what).at(source, span),
            Self::TooMuch(error) => error,
        }
    }
}

impl From<Error> for LiteralError {
    fn from(error: Error) -> Self {
        Self::TooMuch(error)
    }
}

impl<'a, V: Variables> Reader<'a, V> {
    /// Makes a reader. `path` is the path of the values that it reads.
    pub(crate) fn new(front: &'a Inner, variables: V, path: String) -> Self {
        Self { front, variables, path: vec![path], depth: 0 }
    }

    /// Reads `value` as the type of `place`.
    pub(crate) fn read(
        &mut self,
        value: &Node<Value>,
        place: &InputPosition<'_>,
    ) -> Result<Coerced, LiteralError> {
        if let Value::Variable(name) = &**value {
            let coerced = self.variables.at(name, place, value.location())?;
            return match coerced {
                Coerced::Value(ConstValue::Null) if place.ty.is_non_null() => {
                    Err(self.fault(value, &format!("`${name}` is null, and null is not accepted here")))
                }
                Coerced::Absent if place.ty.is_non_null() && !place.has_default => {
                    Err(self.fault(value, &format!("`${name}` has no value, and one is needed here")))
                }
                coerced => Ok(coerced),
            };
        }
        match (place.ty, &**value) {
            (Type::Named(_) | Type::List(_), Value::Null) => Ok(Coerced::Value(ConstValue::Null)),
            (Type::NonNullNamed(_) | Type::NonNullList(_), Value::Null) => {
                Err(self.expected(value, place.ty, "null"))
            }
            (Type::List(item) | Type::NonNullList(item), Value::List(values)) => self.list(values, item),
            // A single value is coerced to a list of one item (section 3.11).
            (Type::List(item) | Type::NonNullList(item), _) => {
                let item = InputPosition { ty: item, has_default: false };
                Ok(match self.read(value, &item)? {
                    Coerced::Value(value) => Coerced::Value(ConstValue::List(vec![value])),
                    other => other,
                })
            }
            (Type::Named(name) | Type::NonNullNamed(name), _) => self.named(value, name, place.ty),
        }
    }

    fn list(&mut self, values: &[Node<Value>], item: &Type) -> Result<Coerced, LiteralError> {
        let place = InputPosition { ty: item, has_default: false };
        let (mut all, mut is_open) = (Vec::with_capacity(values.len()), false);
        for (index, value) in values.iter().enumerate() {
            self.path.push(format!("[{index}]"));
            match self.read(value, &place)? {
                Coerced::Value(value) => all.push(value),
                // A variable without a value is null in a list.
                Coerced::Absent => all.push(ConstValue::Null),
                Coerced::Unresolved => is_open = true,
            }
            self.path.pop();
        }
        Ok(if is_open { Coerced::Unresolved } else { Coerced::Value(ConstValue::List(all)) })
    }

    fn named(&mut self, value: &Node<Value>, name: &Name, ty: &Type) -> Result<Coerced, LiteralError> {
        let front = self.front;
        match front.schema.types.get(name) {
            Some(ExtendedType::Enum(defined)) => match &**value {
                Value::Enum(word) if defined.values.contains_key(word) => {
                    Ok(Coerced::Value(ConstValue::Enum(OutName::new(word.as_str()))))
                }
                Value::Enum(word) => {
                    Err(self.fault(value, &format!("`{word}` isn't a value of the enum {name}")))
                }
                other => Err(self.expected(value, ty, kind(other))),
            },
            Some(ExtendedType::InputObject(defined)) => match &**value {
                Value::Object(fields) => self.object(value, fields, defined),
                other => Err(self.expected(value, ty, kind(other))),
            },
            Some(ExtendedType::Scalar(_)) => self.scalar(value, name),
            // Unreachable: validation allows input types only.
            _ => Err(self.expected(value, ty, kind(value))),
        }
    }

    fn scalar(&mut self, value: &Node<Value>, name: &Name) -> Result<Coerced, LiteralError> {
        let Some(rule) = self.front.scalar(name) else {
            return Err(self.fault(value, &format!("{name} takes no values")));
        };
        let refused = |this: &Self, path: &Path| {
            let found = match &**value {
                Value::Int(int) if int.as_str().len() <= NUMBER_BYTES_MAX => int.as_str(),
                other => kind(other),
            };
            let path = format!("{}{}", this.path.concat(), within(path));
            LiteralError::Wrong(
                format!("`{path}`: expected {}, found {found}", rule.accepted),
                value.location(),
            )
        };
        // `1.0` is a whole number in JSON, but a Float as a literal, which Int rejects (section 3.5.1).
        if matches!((&**value, name.as_str()), (Value::Float(_), "Int" | "ID")) {
            return Err(refused(self, &Path::default()));
        }
        let json = match &**value {
            // Built-in scalars reject lists, objects and names.
            Value::List(_) | Value::Object(_) | Value::Enum(_)
                if !self.front.scalars.contains_key(name.as_str()) =>
            {
                return Err(refused(self, &Path::default()));
            }
            _ => self.json(value, rule.accepts_names, name)?,
        };
        let Some(json) = json else { return Ok(Coerced::Unresolved) };
        (rule.coerce)(&json).map(Coerced::Value).map_err(|path| refused(self, &path))
    }

    /// Converts a literal within a custom scalar to JSON. Returns `None` while the value of a variable in it isn't
    /// known.
    fn json(
        &mut self,
        value: &Node<Value>,
        accepts_names: bool,
        scalar: &Name,
    ) -> Result<Option<Json>, LiteralError> {
        Ok(Some(match &**value {
            Value::Variable(name) => match self.variables.within_scalar(name, value.location())? {
                ScalarVariable::Unresolved => return Ok(None),
                ScalarVariable::Absent => Json::Null,
                ScalarVariable::Json(json) => self.bounded(value, json)?,
            },
            Value::Enum(word) if accepts_names => Json::String(word.to_string()),
            Value::Enum(word) => {
                return Err(self.fault(value, &format!("expected {scalar}, found the name `{word}`")));
            }
            Value::List(values) => {
                self.depth += 1;
                let mut all = Some(Vec::with_capacity(values.len()));
                for value in values {
                    match (self.json(value, accepts_names, scalar)?, &mut all) {
                        (Some(json), Some(all)) => all.push(json),
                        _ => all = None,
                    }
                }
                self.depth -= 1;
                match all {
                    Some(all) => Json::Array(all),
                    None => return Ok(None),
                }
            }
            Value::Object(fields) => {
                self.unique(fields)?;
                self.depth += 1;
                let mut all = Some(Object::new());
                for (name, value) in fields {
                    let json = match &**value {
                        // A field whose variable has no value is omitted (section 3.10).
                        Value::Variable(variable) => {
                            match self.variables.within_scalar(variable, value.location())? {
                                ScalarVariable::Absent => continue,
                                ScalarVariable::Unresolved => None,
                                ScalarVariable::Json(json) => Some(self.bounded(value, json)?),
                            }
                        }
                        _ => self.json(value, accepts_names, scalar)?,
                    };
                    match (json, &mut all) {
                        (Some(json), Some(all)) => drop(all.insert(name.to_string(), json)),
                        _ => all = None,
                    }
                }
                self.depth -= 1;
                match all {
                    Some(all) => Json::Object(all),
                    None => return Ok(None),
                }
            }
            literal => match plain(literal) {
                Some(json) => json,
                None => return Err(self.fault(value, &format!("{} isn't a number", kind(literal)))),
            },
        }))
    }

    /// Converts a constant of any type to JSON. Returns `None` when it isn't a constant.
    pub(crate) fn constant(&mut self, value: &Node<Value>) -> Option<Json> {
        self.json(value, true, &Name::new_static_unchecked("JSON")).ok().flatten()
    }

    /// Checks that the literal and the variable's value within it together don't exceed the depth limit of JSON.
    fn bounded(&self, value: &Node<Value>, json: Json) -> Result<Json, LiteralError> {
        let limit = json_reader::Limits::DEFAULT.depth;
        if self.depth.saturating_add(depth(&json)) > limit {
            return Err(
                self.fault(value, &format!("more than {limit} lists and objects are open within each other"))
            );
        }
        Ok(json)
    }

    fn object(
        &mut self,
        value: &Node<Value>,
        fields: &[(Name, Node<Value>)],
        defined: &apollo_compiler::schema::InputObjectType,
    ) -> Result<Coerced, LiteralError> {
        self.unique(fields)?;
        let (mut all, mut is_open) = (IndexMap::with_capacity(fields.len()), false);
        for (name, value) in fields {
            let Some(field) = defined.fields.get(name) else {
                return Err(self.fault(value, &format!("{} has no field `{name}`", defined.name)));
            };
            self.path.push(format!(".{name}"));
            match self
                .read(value, &InputPosition { ty: &field.ty, has_default: field.default_value.is_some() })?
            {
                Coerced::Value(value) => drop(all.insert(OutName::new(name.as_str()), value)),
                Coerced::Absent => {}
                Coerced::Unresolved => is_open = true,
            }
            self.path.pop();
        }
        let missing = defined.fields.iter().find(|(name, field)| {
            field.ty.is_non_null()
                && field.default_value.is_none()
                && !fields.iter().any(|(given, _)| given == *name)
        });
        if let Some((name, field)) = missing {
            return Err(self.fault(value, &format!("the field `{name}` of type {} is missing", field.ty)));
        }
        Ok(if is_open { Coerced::Unresolved } else { Coerced::Value(ConstValue::Object(all)) })
    }

    /// Rejects duplicate fields (section 5.6.3).
    fn unique(&self, fields: &[(Name, Node<Value>)]) -> Result<(), LiteralError> {
        let mut seen = std::collections::HashSet::with_capacity(fields.len());
        match fields.iter().find(|(name, _)| !seen.insert(name)) {
            Some((name, value)) => Err(self.fault(value, &format!("the field `{name}` is given twice"))),
            None => Ok(()),
        }
    }

    fn expected(&self, value: &Node<Value>, ty: &Type, found: &str) -> LiteralError {
        self.fault(value, &format!("expected {ty}, found {found}"))
    }

    fn fault(&self, value: &Node<Value>, what: &str) -> LiteralError {
        LiteralError::Wrong(format!("`{}`: {what}", self.path.concat()), value.location())
    }
}

/// Formats a path within a value, to be appended to the value's own path.
pub(crate) fn within(path: &Path) -> String {
    let path = path.to_string();
    if path.is_empty() || path.starts_with('[') { path } else { format!(".{path}") }
}

fn depth(json: &Json) -> usize {
    match json {
        Json::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Json::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Converts a scalar literal to JSON. Returns `None` for names, variables, lists and objects.
fn plain(value: &Value) -> Option<Json> {
    match value {
        Value::Null => Some(Json::Null),
        Value::String(text) => Some(Json::String(text.clone())),
        Value::Boolean(value) => Some(Json::Bool(*value)),
        Value::Int(int) => Number::from_token(int.as_str()).map(Json::Number),
        Value::Float(float) => Number::from_token(float.as_str()).map(Json::Number),
        Value::Enum(_) | Value::Variable(_) | Value::List(_) | Value::Object(_) => None,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Enum(_) => "a name",
        Value::Variable(_) => "a variable",
        Value::String(_) => "a string",
        Value::Float(_) => "a Float",
        Value::Int(_) => "an Int",
        Value::Boolean(_) => "a Boolean",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
    }
}
