//! What a subscription asks. Subscriptions with the same text share its document, and one that waits for events keeps
//! only the text of its variables.

use std::sync::{Arc, Mutex};

use graphql_front::{Document, ExecutableDocument, Front};
use json_reader::{Json, Limits, Object, read};
use sha2::{Digest, Sha256};

use super::operation::CheckedOperation;
use crate::{
    domain::{Caller, Error, Result},
    task::lock,
};

/// A subscription's document, and the values of its variables.
pub(super) struct Question {
    document: Arc<Document>,
    operation_name: Option<String>,
    /// The variables as the client sent them, written as JSON. Empty without variables.
    variables: Arc<str>,
    /// Whether inserting the variables takes a processor for long.
    is_large: bool,
    /// The operation with its variables inserted. It takes several kilobytes, so it is there only while events follow
    /// each other.
    executable: Mutex<Option<ExecutableDocument>>,
}

impl Question {
    pub(super) fn new(accepted: CheckedOperation) -> Self {
        let CheckedOperation { document, operation_name, variables, prepared, is_large } = accepted;
        let executable = Mutex::new(Some(prepared.executable));
        Self { document, operation_name, variables, is_large, executable }
    }

    /// The SHA-256 of question and visibility: equal for subscribers who may share rendered events.
    pub(super) fn group_key(&self, caller: &Caller) -> [u8; 32] {
        let mut digest = Sha256::new();
        let visibility = caller.visibility().bytes();
        let name = self.operation_name.as_deref().unwrap_or_default();
        for part in [self.document.text().as_bytes(), name.as_bytes(), self.variables.as_bytes(), &visibility]
        {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }

    /// Drops what can be made again, until [`Question::executable`] is called. An operation with large variables stays:
    /// inserting them again would take the processor from other requests.
    pub(super) fn shrink(&self) {
        if !self.is_large {
            *lock(&self.executable) = None;
        }
    }

    /// The operation with its variables inserted.
    ///
    /// # Errors
    /// [`Error::Internal`]: document and variables were accepted before, so they can't be wrong now.
    pub(super) fn executable(&self, front: &Front) -> Result<ExecutableDocument> {
        let mut kept = lock(&self.executable);
        let executable = match &mut *kept {
            Some(executable) => executable,
            dropped => dropped.insert(self.insert_variables(front)?),
        };
        Ok(executable.clone())
    }

    fn insert_variables(&self, front: &Front) -> Result<ExecutableDocument> {
        let (variables, name) = (self.read_variables()?, self.operation_name.as_deref());
        let prepared = front.prepare(&self.document, name, variables.as_ref());
        Ok(prepared.map_err(|errors| Error::Internal(Box::new(errors)))?.executable)
    }

    fn read_variables(&self) -> Result<Option<Object>> {
        if self.variables.is_empty() {
            return Ok(None);
        }
        match read(self.variables.as_bytes(), &Limits::DEPTH_ONLY) {
            Ok(Json::Object(variables)) => Ok(Some(variables)),
            Ok(other) => Err(Error::Internal(format!("the variables are {}", other.kind()).into())),
            Err(err) => Err(Error::Internal(Box::new(err))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::engine::front::front;

    const WATCH: &str = "query Other { __typename } subscription Watch($after: Cursor, $agents: [ID!], $long: Boolean!) \
        { activations(after: $after, agentIds: $agents) { id version @include(if: $long) { number } } }";
    const VARIABLES: &str = r#"{"after":"7","agents":["é\u0000","\"b"],"long":true}"#;

    fn question(front: &Front, is_large: bool) -> Question {
        let document = Arc::new(front.check(WATCH.into()).unwrap());
        let Json::Object(given) = read(VARIABLES.as_bytes(), &Limits::DEFAULT).unwrap() else { panic!() };
        let name = "Watch".to_owned();
        let prepared = front.prepare(&document, Some(&name), Some(&given)).unwrap();
        let (variables, operation_name) = (Json::Object(given).to_text().into(), Some(name));
        Question::new(CheckedOperation { document, operation_name, variables, prepared, is_large })
    }

    #[test]
    fn an_idle_question_is_inserted_again_as_it_was() {
        let front = front().unwrap();
        let question = question(&front, false);
        let before = format!("{:?}", question.executable(&front).unwrap());
        assert!(before.contains("é\\0") && before.contains("number"), "{before}");
        question.shrink();
        assert!(lock(&question.executable).is_none());
        assert_eq!(format!("{:?}", question.executable(&front).unwrap()), before);
        assert!(lock(&question.executable).is_some(), "kept for the events that follow");
    }

    #[test]
    fn an_operation_with_large_variables_stays() {
        let front = front().unwrap();
        let question = question(&front, true);
        question.shrink();
        assert!(lock(&question.executable).is_some());
    }
}
