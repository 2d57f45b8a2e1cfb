//! The schema, parsed from SDL, and the crate's entry point.

use std::{collections::HashMap, sync::Arc};

use apollo_compiler::{
    Name, Schema,
    schema::{ExtendedType, Implementers},
    validation::Valid,
};
use json_reader::Object;

use crate::{
    check,
    document::{Document, Prepared},
    error::Errors,
    limits::Limits,
    scalar::{ScalarRule, ScalarRules, built_in},
    variable,
};

/// Why a [`Front`] can't be made from an SDL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The SDL isn't a valid schema.
    #[error("the schema is invalid: {0}")]
    Invalid(String),
    /// The schema defines a scalar without a rule.
    #[error("the scalar {0} has no rule")]
    NoRule(String),
}

/// A schema that uses all built-in scalars, since the library omits unused ones.
const BUILT_IN: &str = "type Query { a: Int b: Float c: String d: Boolean e: ID }";

/// Checks documents and their variables against one schema. Clones share it.
#[derive(Clone, Debug)]
pub struct Front(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) schema: Valid<Schema>,
    pub(crate) scalars: ScalarRules,
    pub(crate) limits: Limits,
    implementers: HashMap<Name, Vec<Name>>,
}

impl Front {
    /// Makes a front for the schema in `sdl`. Each custom scalar needs a rule.
    ///
    /// # Errors
    /// [`SchemaError`] when the SDL is invalid or a rule is missing.
    pub fn new(
        sdl: &str,
        scalars: impl IntoIterator<Item = (&'static str, ScalarRule)>,
        limits: Limits,
    ) -> Result<Self, SchemaError> {
        let read = |sdl: &str| {
            Schema::parse_and_validate(sdl, "schema.graphql")
                .map_err(|failed| SchemaError::Invalid(failed.errors.to_string()))
        };
        let mut schema = read(sdl)?.into_inner();
        // A variable may have a built-in type that no field uses, and still be used within a custom scalar.
        for (name, scalar) in read(BUILT_IN)?.into_inner().types {
            if matches!(&scalar, ExtendedType::Scalar(scalar) if scalar.is_built_in()) {
                schema.types.entry(name).or_insert(scalar);
            }
        }
        let schema = Valid::assume_valid(schema);
        let scalars: ScalarRules = scalars.into_iter().map(|(name, rule)| (name.to_owned(), rule)).collect();
        let without_rule = schema.types.values().find_map(|defined| match defined {
            ExtendedType::Scalar(scalar)
                if !scalar.is_built_in() && !scalars.contains_key(scalar.name.as_str()) =>
            {
                Some(scalar.name.to_string())
            }
            _ => None,
        });
        if let Some(name) = without_rule {
            return Err(SchemaError::NoRule(name));
        }
        let objects = |(name, of): (Name, Implementers)| (name, of.objects.into_iter().collect());
        let implementers = schema.implementers_map().into_iter().map(objects).collect();
        Ok(Self(Arc::new(Inner { schema, scalars, limits, implementers })))
    }

    /// Returns the limits of this front.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Parses a document and checks everything that doesn't depend on variables: limits, section 5 of the
    /// specification, and the types of all literals. Takes time linear in the length of the text.
    ///
    /// # Errors
    /// The errors of the document, in its order.
    pub fn check(&self, text: Arc<str>) -> Result<Document, Errors> {
        check::check(&self.0, text)
    }

    /// Chooses the operation, coerces its variables, and builds the tree to be executed. `document` must have been
    /// checked by this front.
    ///
    /// # Errors
    /// The errors of the operation's name or the variables, and exceeded limits.
    pub fn prepare(
        &self,
        document: &Document,
        operation_name: Option<&str>,
        variables: Option<&Object>,
    ) -> Result<Prepared, Errors> {
        variable::prepare(&self.0, document, operation_name, variables)
    }
}

impl Inner {
    /// Returns the possible object types of this composite type.
    pub(crate) fn possible_types(&self, name: &Name) -> Vec<Name> {
        match self.schema.types.get(name) {
            Some(ExtendedType::Interface(_)) => self.implementers.get(name).cloned().unwrap_or_default(),
            Some(ExtendedType::Union(union)) => {
                union.members.iter().map(|member| member.name.clone()).collect()
            }
            Some(_) => vec![name.clone()],
            None => Vec::new(),
        }
    }

    /// Returns the rule of a built-in or custom scalar.
    pub(crate) fn scalar(&self, name: &str) -> Option<ScalarRule> {
        built_in(name).or_else(|| self.scalars.get(name).copied())
    }

    /// Whether this type is an interface or a union.
    pub(crate) fn is_abstract(&self, name: &Name) -> bool {
        matches!(self.schema.types.get(name), Some(ExtendedType::Interface(_) | ExtendedType::Union(_)))
    }

    /// Whether this type is an object, an interface or a union.
    pub(crate) fn is_composite(&self, name: &Name) -> bool {
        matches!(
            self.schema.types.get(name),
            Some(ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_))
        )
    }

    /// Whether every value of object type `object` is also one of `condition` (section 6.3.2, DoesFragmentTypeApply).
    pub(crate) fn applies(&self, condition: &Name, object: &Name) -> bool {
        condition == object || self.schema.is_subtype(condition, object)
    }
}
