//! A document's text, parsed into async-graphql's own tree, in far less time than its parser takes
//! ([why](../../../docs/decisions/0021-a-parser-of-our-own.md)).
//!
//! It follows the specification (GraphQL, September 2025, appendix B) where the other one does not. It takes time in
//! proportion to the text, recurses as deep as brackets are open, and refuses more than sixty-four of them by itself. No
//! error repeats what was written.

use std::collections::{HashMap, hash_map::Entry};

use async_graphql::{
    Name, Pos, Positioned, ServerError,
    parser::types::{
        Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, FragmentSpread,
        InlineFragment, OperationDefinition, OperationType, Selection, SelectionSet, TypeCondition,
        VariableDefinition,
    },
};
use async_graphql_value::Value;

mod cursor;
pub(super) mod lexer;
mod text;
mod value;

use cursor::Cursor;
use lexer::Kind;
use value::Variables;

/// Why a text is no document: what should stand where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the document does not parse: {what}")]
pub struct Malformed {
    what: &'static str,
    at: Pos,
}

impl From<Malformed> for ServerError {
    fn from(err: Malformed) -> Self {
        Self::new(err.to_string(), Some(err.at))
    }
}

type Result<T> = std::result::Result<T, Malformed>;

/// The document that this text is.
///
/// # Errors
/// [`Malformed`].
pub fn parse(text: &str) -> Result<ExecutableDocument> {
    let mut cursor = Cursor::new(text)?;
    let (mut operations, mut fragments) = (Vec::new(), HashMap::new());
    while !cursor.is_at_end() {
        let is_described = cursor.description()?;
        let at = cursor.pos();
        if cursor.is_word("fragment") {
            let (name, fragment) = cursor.fragment()?;
            match fragments.entry(name) {
                Entry::Occupied(_) => return Err(Malformed { what: "two fragments have one name", at }),
                Entry::Vacant(entry) => drop(entry.insert(Positioned::new(fragment, at))),
            }
        } else if is_described && cursor.is_mark(b'{') {
            return cursor.expected("a description stands before a word");
        } else {
            let (name, operation) = cursor.operation()?;
            operations.push((name, Positioned::new(operation, at)));
        }
    }
    let end = cursor.pos();
    Ok(ExecutableDocument { operations: together(operations, end)?, fragments })
}

/// The operations of a document: each has a name of its own, or there is only one.
fn together(
    mut operations: Vec<(Option<Name>, Positioned<OperationDefinition>)>,
    end: Pos,
) -> Result<DocumentOperations> {
    if let [(None, _)] = operations.as_slice()
        && let Some((_, single)) = operations.pop()
    {
        return Ok(DocumentOperations::Single(single));
    }
    let mut named = HashMap::new();
    for (name, operation) in operations {
        let at = operation.pos;
        let name = name.ok_or(Malformed { what: "an operation without a name is not the only one", at })?;
        match named.entry(name) {
            Entry::Occupied(_) => return Err(Malformed { what: "two operations have one name", at }),
            Entry::Vacant(entry) => drop(entry.insert(operation)),
        }
    }
    if named.is_empty() {
        return Err(Malformed { what: "expected an operation", at: end });
    }
    Ok(DocumentOperations::Multiple(named))
}

impl Cursor<'_> {
    fn operation(&mut self) -> Result<(Option<Name>, OperationDefinition)> {
        let ty = match self.kind() {
            Kind::Mark(b'{') => None,
            Kind::Name("query") => Some(OperationType::Query),
            Kind::Name("mutation") => Some(OperationType::Mutation),
            Kind::Name("subscription") => Some(OperationType::Subscription),
            _ => return self.expected("expected an operation or a fragment"),
        };
        let Some(ty) = ty else {
            let operation = OperationDefinition {
                ty: OperationType::Query,
                variable_definitions: Vec::new(),
                directives: Vec::new(),
                selection_set: self.selection_set()?,
            };
            return Ok((None, operation));
        };
        self.step()?;
        let name = if matches!(self.kind(), Kind::Name(_)) { Some(self.name()?.node) } else { None };
        let variable_definitions = if self.is_mark(b'(') {
            self.some(b')', "expected a variable between the parentheses", Self::variable_definition)?
        } else {
            Vec::new()
        };
        let (directives, selection_set) = (self.directives(Variables::Allowed)?, self.selection_set()?);
        Ok((name, OperationDefinition { ty, variable_definitions, directives, selection_set }))
    }

    fn variable_definition(&mut self) -> Result<Positioned<VariableDefinition>> {
        self.description()?;
        let pos = self.pos();
        self.mark(b'$', "expected a variable")?;
        let name = self.name()?;
        self.mark(b':', "expected the colon between a variable and its type")?;
        let at = self.pos();
        let var_type = Positioned::new(self.ty()?, at);
        let default_value = if self.takes(b'=')? {
            let at = self.pos();
            Some(Positioned::new(self.constant()?, at))
        } else {
            None
        };
        let directives = self.directives(Variables::Refused)?;
        Ok(Positioned::new(VariableDefinition { name, var_type, directives, default_value }, pos))
    }

    /// What documents an operation, a fragment or a variable, if it is there. It means nothing to us.
    fn description(&mut self) -> Result<bool> {
        let stands = matches!(self.kind(), Kind::Text(_));
        if stands {
            self.step()?;
        }
        Ok(stands)
    }

    fn fragment(&mut self) -> Result<(Name, FragmentDefinition)> {
        self.step()?;
        if self.is_word("on") {
            return self.expected("a fragment is not named `on`");
        }
        let name = self.name()?.node;
        if !self.is_word("on") {
            return self.expected("expected `on` and a type");
        }
        let type_condition = self.type_condition()?;
        let (directives, selection_set) = (self.directives(Variables::Allowed)?, self.selection_set()?);
        Ok((name, FragmentDefinition { type_condition, directives, selection_set }))
    }

    /// `on`, which stands here, and a type.
    fn type_condition(&mut self) -> Result<Positioned<TypeCondition>> {
        let pos = self.step()?.pos;
        Ok(Positioned::new(TypeCondition { on: self.name()? }, pos))
    }

    fn selection_set(&mut self) -> Result<Positioned<SelectionSet>> {
        let pos = self.pos();
        if !self.is_mark(b'{') {
            return self.expected("expected a selection set");
        }
        let items = self.some(b'}', "expected a selection between the braces", Self::selection)?;
        Ok(Positioned::new(SelectionSet { items }, pos))
    }

    fn selection(&mut self) -> Result<Positioned<Selection>> {
        let pos = self.pos();
        let selection = match self.kind() {
            Kind::Spread => self.spread(pos)?,
            Kind::Name(_) => Selection::Field(Positioned::new(self.field()?, pos)),
            _ => return self.expected("expected a selection"),
        };
        Ok(Positioned::new(selection, pos))
    }

    fn spread(&mut self, pos: Pos) -> Result<Selection> {
        self.step()?;
        let is_named = matches!(self.kind(), Kind::Name(name) if *name != "on");
        if is_named {
            let (fragment_name, directives) = (self.name()?, self.directives(Variables::Allowed)?);
            let spread = FragmentSpread { fragment_name, directives };
            return Ok(Selection::FragmentSpread(Positioned::new(spread, pos)));
        }
        let type_condition = if self.is_word("on") { Some(self.type_condition()?) } else { None };
        let (directives, selection_set) = (self.directives(Variables::Allowed)?, self.selection_set()?);
        let inline = InlineFragment { type_condition, directives, selection_set };
        Ok(Selection::InlineFragment(Positioned::new(inline, pos)))
    }

    fn field(&mut self) -> Result<Field> {
        let first = self.name()?;
        let (alias, name) = if self.takes(b':')? { (Some(first), self.name()?) } else { (None, first) };
        let (arguments, directives) =
            (self.arguments(Variables::Allowed)?, self.directives(Variables::Allowed)?);
        let selection_set = if self.is_mark(b'{') { self.selection_set()? } else { Positioned::default() };
        Ok(Field { alias, name, arguments, directives, selection_set })
    }

    fn arguments(&mut self, variables: Variables) -> Result<Vec<(Positioned<Name>, Positioned<Value>)>> {
        if !self.is_mark(b'(') {
            return Ok(Vec::new());
        }
        self.some(b')', "expected an argument between the parentheses", |cursor| {
            let name = cursor.name()?;
            cursor.mark(b':', "expected the colon between an argument and its value")?;
            let at = cursor.pos();
            Ok((name, Positioned::new(cursor.value(variables)?, at)))
        })
    }

    fn directives(&mut self, variables: Variables) -> Result<Vec<Positioned<Directive>>> {
        let mut directives = Vec::new();
        while self.is_mark(b'@') {
            let pos = self.step()?.pos;
            let (name, arguments) = (self.name()?, self.arguments(variables)?);
            directives.push(Positioned::new(Directive { name, arguments }, pos));
        }
        Ok(directives)
    }
}
