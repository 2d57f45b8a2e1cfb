//! Handwritten histories: the checkers accept possible ones and reject impossible ones.

use super::{
    checker::{in_order, in_session, linearizable},
    history::{Call, Op, Version, WriteOutcome},
};

fn op(client: usize, called: u128, answered: u128, call: Call) -> Op {
    Op { client, called, answered, at_least: None, call }
}

fn read(active: Version, revision: i64) -> Call {
    Call::Read { active: Some(active), revision: Some(revision) }
}

fn activate(version: Version, revision: i64) -> Call {
    Call::Activate { version, expected: None, told: WriteOutcome::Done(revision) }
}

fn cas(expected: Version, version: Version, told: WriteOutcome) -> Call {
    Call::Activate { version, expected: Some(Some(expected)), told }
}

const NOTHING: Call = Call::Read { active: None, revision: None };

/// The results of the three checkers: search, revisions, sessions.
fn judged(history: &[Op]) -> [bool; 3] {
    [linearizable(history).is_ok(), in_order(history).is_ok(), in_session(history).is_ok()]
}

#[test]
fn what_can_be_is_let_through() {
    // A read that overlaps a write may see it or not. One that overlaps two writes may see either.
    let overlapping = [
        op(0, 0, 10, activate(1, 1)),
        op(1, 5, 30, read(1, 1)),
        op(0, 20, 40, activate(2, 2)),
        op(2, 22, 38, read(2, 2)),
        op(3, 21, 24, read(1, 1)),
    ];
    assert_eq!(judged(&overlapping), [true; 3]);
    // The call that responds last may have the lower revision.
    let crossed = [op(0, 0, 50, activate(1, 1)), op(1, 10, 20, activate(2, 2)), op(2, 60, 70, read(2, 2))];
    assert_eq!(judged(&crossed), [true; 3]);
    let mixed = [
        op(0, 0, 1, NOTHING),
        op(0, 2, 3, Call::Rollback { told: WriteOutcome::Refused }),
        op(0, 4, 5, activate(1, 1)),
        op(0, 6, 7, cas(1, 2, WriteOutcome::Done(2))),
        op(1, 8, 9, cas(1, 3, WriteOutcome::Conflict)),
        op(1, 10, 11, Call::Rollback { told: WriteOutcome::Done(3) }),
        op(0, 12, 13, read(1, 3)),
        op(0, 14, 15, Call::Deactivate { told: WriteOutcome::Done(4) }),
        op(0, 16, 17, Call::Deactivate { told: WriteOutcome::Done(4) }),
        op(1, 18, 19, NOTHING),
        // The version that the rollback left isn't there to go back to.
        op(0, 20, 21, Call::Rollback { told: WriteOutcome::Done(5) }),
        op(0, 22, 23, read(1, 5)),
        op(0, 24, 25, Call::Rollback { told: WriteOutcome::Refused }),
    ];
    assert_eq!(judged(&mixed), [true; 3]);
}

#[test]
fn a_stale_read_is_caught() {
    let stale = [op(0, 0, 1, activate(1, 1)), op(0, 2, 3, activate(2, 2)), op(1, 4, 5, read(1, 1))];
    // The sessions are valid, because another client wrote.
    assert_eq!(judged(&stale), [false, false, true]);
    let own = [op(0, 0, 1, activate(1, 1)), op(0, 2, 3, activate(2, 2)), op(0, 4, 5, read(1, 1))];
    assert_eq!(judged(&own), [false; 3]);
    let nothing = [op(0, 0, 1, activate(1, 1)), op(0, 2, 3, NOTHING)];
    assert_eq!(judged(&nothing), [false; 3]);
}

#[test]
fn going_back_is_caught() {
    // Both reads overlap the second write, and the later read sees the older version.
    let back = [
        op(0, 0, 1, activate(1, 1)),
        op(0, 2, 90, activate(2, 2)),
        op(1, 10, 20, read(2, 2)),
        op(1, 30, 40, read(1, 1)),
    ];
    assert_eq!(judged(&back), [false; 3]);
    let asked = Op { at_least: Some(2), ..op(1, 30, 40, read(1, 1)) };
    assert_eq!(judged(&[back[0], back[1], asked]), [true, true, false]);
}

#[test]
fn a_lost_compare_and_set_is_caught() {
    // Both writes succeeded in replacing the first version.
    let both = [
        op(0, 0, 1, activate(1, 1)),
        op(0, 2, 9, cas(1, 2, WriteOutcome::Done(2))),
        op(1, 2, 9, cas(1, 3, WriteOutcome::Done(3))),
    ];
    assert_eq!(judged(&both), [false; 3]);
    // A conflict, although the expected version was active all the time.
    let vain = [op(0, 0, 1, activate(1, 1)), op(0, 2, 3, cas(1, 2, WriteOutcome::Conflict))];
    assert!(!judged(&vain)[0]);
    // An acknowledged write that no read sees.
    let lost =
        [op(0, 0, 1, activate(1, 1)), op(0, 2, 3, cas(1, 2, WriteOutcome::Done(2))), op(1, 4, 5, read(1, 1))];
    assert_eq!(judged(&lost)[..2], [false; 2]);
    // A rollback that brings back the version that one left.
    let toggled = [
        op(0, 0, 1, activate(1, 1)),
        op(0, 2, 3, activate(2, 2)),
        op(0, 4, 5, Call::Rollback { told: WriteOutcome::Done(3) }),
        op(0, 6, 7, Call::Rollback { told: WriteOutcome::Done(4) }),
    ];
    assert_eq!(judged(&toggled), [false; 3]);
    let wrong = [op(0, 0, 1, activate(1, 1)), op(0, 2, 3, Call::Rollback { told: WriteOutcome::Done(2) })];
    assert_eq!(judged(&wrong), [false; 3]);
}
