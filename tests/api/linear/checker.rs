//! Checkers of a history. `linearizable` doesn't use revisions: it is Wing and Gong's search with Lowe's
//! memoization. `in_order` takes the writes in the order of their revisions. `in_session` checks what a client is
//! guaranteed on any number of instances: to read its own writes, and never to read an older state than before.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    mem,
};

use super::history::{Call, Op, State};

/// Whether the calls have a sequential order in which each takes effect between its call and its response. The
/// error says how many calls fit at most.
pub(super) fn linearizable(history: &[Op]) -> Result<(), String> {
    let mut ops = history.to_vec();
    ops.sort_by_key(|op| op.called);
    let mut done = vec![0_u64; ops.len().div_ceil(64)];
    let is_done = |done: &[u64], at: usize| done[at / 64] & (1 << (at % 64)) != 0;
    let mut been: HashSet<(Vec<u64>, State)> = HashSet::new();
    // The calls in the order so far, each with the state before it.
    let mut taken: Vec<(usize, State)> = Vec::new();
    let (mut state, mut from, mut most) = (State::default(), 0, 0);
    while taken.len() < ops.len() {
        // A call that starts after another one's response must come after it in the order.
        let mut horizon = u128::MAX;
        for (at, op) in ops.iter().enumerate() {
            if op.called > horizon {
                break;
            }
            if !is_done(&done, at) {
                horizon = horizon.min(op.answered);
            }
        }
        let step = (from..ops.len()).take_while(|at| ops[*at].called <= horizon).find_map(|at| {
            let next = (!is_done(&done, at)).then(|| state.after(&ops[at].call)).flatten()?;
            let mut with = done.clone();
            with[at / 64] |= 1 << (at % 64);
            been.insert((with, next.clone())).then_some((at, next))
        });
        match (step, taken.pop()) {
            (Some((at, next)), last) => {
                taken.extend(last);
                taken.push((at, mem::replace(&mut state, next)));
                done[at / 64] |= 1 << (at % 64);
                from = 0;
                most = most.max(taken.len());
            }
            (None, Some((at, before))) => {
                done[at / 64] &= !(1 << (at % 64));
                (state, from) = (before, at + 1);
            }
            (None, None) => return Err(format!("{most} of {} calls fit a sequential order", ops.len())),
        }
    }
    Ok(())
}

/// The states by revision, computed from the writes. Each write must be a valid step from the state before. Of the writes with one
/// revision, exactly one had an effect: a write that changes nothing returns the revision of the last effect.
fn states(history: &[Op]) -> Result<BTreeMap<i64, (State, Op)>, String> {
    let mut groups: BTreeMap<i64, Vec<Op>> = BTreeMap::new();
    for op in history.iter().filter(|op| op.call.is_done()) {
        groups.entry(op.call.revision().ok_or("a write without a revision")?).or_default().push(*op);
    }
    let mut states = BTreeMap::new();
    let mut state = State::default();
    for (revision, mut writes) in groups {
        writes.sort_by_key(|op| op.called);
        let keeps = |state: &State, write: &Op| state.after(&write.call).as_ref() == Some(state);
        if state == State::default() && writes.iter().all(|write| keeps(&state, write)) {
            continue;
        }
        let effect = writes.iter().find_map(|write| {
            let next = state.after(&write.call).filter(|next| *next != state)?;
            let is_only_one = writes.iter().all(|other| other == write || keeps(&next, other));
            is_only_one.then_some((next, *write))
        });
        let (next, write) = effect
            .ok_or_else(|| format!("not one effect has revision {revision}: {writes:?} in {state:?}"))?;
        states.insert(revision, (next.clone(), write));
        state = next;
    }
    Ok(states)
}

/// Whether each response is valid in the order of revisions, and that order agrees with real time.
pub(super) fn in_order(history: &[Op]) -> Result<(), String> {
    let states = states(history)?;
    // The newest revision in any response before each moment.
    let mut told: Vec<(u128, i64)> =
        history.iter().filter_map(|op| Some((op.answered, op.call.revision()?))).collect();
    told.sort_unstable();
    let mut newest = 0;
    for (_, revision) in &mut told {
        newest = newest.max(*revision);
        *revision = newest;
    }
    let known = |at: u128| {
        let before = told.partition_point(|(answered, _)| *answered < at);
        before.checked_sub(1).map_or(0, |last| told[last].1)
    };
    for op in history {
        let (from, to) = (known(op.called), begun(&states, op.answered));
        match op.call {
            Call::Read { active, revision: Some(revision) } => {
                let there = states.get(&revision).filter(|(state, _)| state.active == active);
                let (_, write) = there.ok_or_else(|| format!("{op:?} is of no write"))?;
                if revision < from || write.called > op.answered {
                    return Err(format!("{op:?} is not between {from} and the newest write that had begun"));
                }
            }
            Call::Read { revision: None, .. } => {
                let before = states.range(..=from).next_back().and_then(|(_, (state, _))| state.active);
                let during = states.range(from + 1..).take_while(|(revision, _)| **revision <= to);
                let during = during.map(|(_, (state, _))| state.active);
                if !during.chain([before]).any(|active| active.is_none()) {
                    return Err(format!("{op:?}: something was active all the time"));
                }
            }
            _ if op.call.is_done() => {
                let revision = op.call.revision().unwrap_or_default();
                if revision < from && states.get(&revision).is_some_and(|(_, write)| write == op) {
                    return Err(format!("{op:?} was called after {from} and has an older revision"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The newest revision of a write that was called before this moment.
fn begun(states: &BTreeMap<i64, (State, Op)>, at: u128) -> i64 {
    states.iter().rev().find(|(_, (_, write))| write.called <= at).map_or(0, |(revision, _)| *revision)
}

/// Whether each client read its own writes, never read an older state than before, and got nothing older than its
/// `atLeast`.
pub(super) fn in_session(history: &[Op]) -> Result<(), String> {
    let states = states(history)?;
    let mut ops = history.to_vec();
    ops.sort_by_key(|op| op.called);
    let mut seen: HashMap<usize, i64> = HashMap::new();
    for op in &ops {
        let seen = seen.entry(op.client).or_default();
        let least = op.at_least.unwrap_or_default().max(*seen);
        if let Call::Read { active, revision } = op.call {
            match revision {
                Some(revision) if revision < least => return Err(format!("{op:?} is older than {least}")),
                Some(revision) => {
                    if states.get(&revision).is_none_or(|(state, _)| state.active != active) {
                        return Err(format!("{op:?} is of no write"));
                    }
                }
                None => {
                    let from = states.range(..=least).next_back().and_then(|(_, (state, _))| state.active);
                    let mut later = states.range(least + 1..).map(|(_, (state, _))| state.active);
                    if from.is_some() && !later.any(|active| active.is_none()) {
                        return Err(format!("{op:?}: something was active ever since {least}"));
                    }
                }
            }
        }
        *seen = op.call.revision().unwrap_or_default().max(*seen);
    }
    Ok(())
}
