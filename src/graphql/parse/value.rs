//! Values, and the types of variables (GraphQL, sections 2.10 and 2.12).

use async_graphql::{
    Name,
    parser::types::{BaseType, Type},
};
use async_graphql_value::{ConstValue, Value};

use super::{
    Malformed, Result,
    cursor::Cursor,
    lexer::{Kind, Token},
};

/// Whether a value may have variables in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variables {
    Allowed,
    /// Where variables are defined, none has a value yet.
    Refused,
}

impl Cursor<'_> {
    /// A value without variables.
    pub(super) fn constant(&mut self) -> Result<ConstValue> {
        let at = self.pos();
        let value = self.value(Variables::Refused)?.into_const();
        value.ok_or(Malformed { what: NO_VARIABLE, at })
    }

    pub(super) fn value(&mut self, variables: Variables) -> Result<Value> {
        match self.kind() {
            Kind::Mark(b'$') if variables == Variables::Refused => return self.expected(NO_VARIABLE),
            Kind::Mark(b'$') => {
                self.step()?;
                return Ok(Value::Variable(self.name()?.node));
            }
            Kind::Mark(b'[') => {
                return Ok(Value::List(self.within(b']', |cursor| cursor.value(variables))?));
            }
            Kind::Mark(b'{') => {
                let fields = self.within(b'}', |cursor| {
                    let name = cursor.name()?.node;
                    cursor.mark(b':', "expected the colon between a field and its value")?;
                    Ok((name, cursor.value(variables)?))
                })?;
                return Ok(Value::Object(fields.into_iter().collect()));
            }
            Kind::Mark(_) | Kind::Spread | Kind::End => return self.expected("expected a value"),
            Kind::Name(_) | Kind::Number(_) | Kind::Text(_) => {}
        }
        let Token { kind, pos } = self.step()?;
        Ok(match kind {
            // An integer beyond 64 bits would be rounded in silence.
            Kind::Number(digits) => match json_reader::Number::from_token(digits) {
                Some(number) if !number.is_beyond_64_bits() => Value::Number(number.to_serde()),
                _ => return Err(Malformed { what: "the number is too large", at: pos }),
            },
            Kind::Text(text) => Value::String(text),
            Kind::Name("true") => Value::Boolean(true),
            Kind::Name("false") => Value::Boolean(false),
            Kind::Name(name) if name != "null" => Value::Enum(Name::new(name)),
            _ => Value::Null,
        })
    }

    pub(super) fn ty(&mut self) -> Result<Type> {
        let base = if self.is_mark(b'[') {
            let at = self.pos();
            let mut inner = self.some(b']', "expected a type between the brackets", Self::ty)?;
            match (inner.pop(), inner.is_empty()) {
                (Some(inner), true) => BaseType::List(Box::new(inner)),
                _ => return Err(Malformed { what: "a list's type is one type", at }),
            }
        } else {
            BaseType::Named(self.name()?.node)
        };
        Ok(Type { base, nullable: !self.takes(b'!')? })
    }
}

const NO_VARIABLE: &str = "where variables are defined none can be used";
