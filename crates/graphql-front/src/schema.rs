//! The schema, read from its SDL, and the way in.

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

/// Why a [`Front`] can't be made of an SDL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The SDL is no valid schema.
    #[error("the schema is not valid: {0}")]
    Invalid(String),
    /// The schema defines a scalar without a rule.
    #[error("the scalar {0} has no rule that says which values it takes")]
    NoRule(String),
}

/// A schema in which each of the specification's five scalars is in use, since the library leaves out those that aren't.
const BUILT_IN: &str = "type Query { a: Int b: Float c: String d: Boolean e: ID }";

/// Checks documents and their variables against one schema. Cheap to clone.
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
    /// A front for the schema that `sdl` defines. Each scalar that it defines needs a rule.
    ///
    /// # Errors
    /// [`SchemaError`].
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
        // Variables may be of a scalar that no field is of: within a scalar of the schema they may stand all the same.
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

    /// The limits that documents are held to.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Parses a document and checks all of it that doesn't depend on variables: limits, the specification's section 5,
    /// and every literal by the type of its place. Takes time in proportion to the text.
    ///
    /// # Errors
    /// What is wrong with it, in the order of the document.
    pub fn check(&self, text: Arc<str>) -> Result<Document, Errors> {
        check::check(&self.0, text)
    }

    /// Chooses the operation, coerces its variables, and writes it as the tree that runs. `document` must come from this
    /// front.
    ///
    /// # Errors
    /// What is wrong with the operation's name or the variables. Nothing has run then.
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
    /// The object types that a value of this composite type can be.
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

    /// The rule of a scalar, the specification's or the schema's.
    pub(crate) fn scalar(&self, name: &str) -> Option<ScalarRule> {
        built_in(name).or_else(|| self.scalars.get(name).copied())
    }

    /// Whether this is an interface or a union.
    pub(crate) fn is_abstract(&self, name: &Name) -> bool {
        matches!(self.schema.types.get(name), Some(ExtendedType::Interface(_) | ExtendedType::Union(_)))
    }

    /// Whether this has fields of its own, or is a union of types that have.
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
