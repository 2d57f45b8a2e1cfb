//! All sources together: resolves what each name means, and finds the rules that it breaks.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Names, PathUse, Source};
use super::{ALLOWED, BANNED, HOMES, SHARED, rule};

/// The sources, the paths of their modules, and the aliases that each module brings into scope.
pub(super) struct SourceTree {
    sources: Vec<Source>,
    modules: BTreeSet<Names>,
    aliases: BTreeMap<Names, Vec<(Option<String>, Names)>>,
}

impl SourceTree {
    pub(super) fn build(files: &[(String, String)]) -> SourceTree {
        let sources: Vec<Source> = files.iter().map(|(file, text)| Source::read(file, text)).collect();
        let modules = sources.iter().flat_map(|source| source.inner.iter().cloned()).collect();
        let mut house = SourceTree { sources, modules, aliases: BTreeMap::new() };
        for source in &house.sources {
            let named = source.seen.iter().filter_map(|seen| {
                let import = seen.import.as_ref()?;
                Some((import.name.clone(), house.rooted(&seen.module, seen.path.clone())))
            });
            let named = named.collect();
            house.aliases.insert(source.module.clone(), named);
        }
        house
    }

    /// Resolves `path`, written in `module`, to a path from the crate's root if the crate is ours.
    fn rooted(&self, module: &[String], path: Names) -> Names {
        let mut base = module.to_vec();
        let mut rest = path.iter().peekable();
        let first = path.first().map_or("", String::as_str);
        if first == "crate" {
            base.truncate(1);
            rest.next();
        } else if first == "agent_registry" && module.first().is_some_and(|krate| krate != "migration") {
            base = vec!["crate".to_owned()];
            rest.next();
        } else if first == "self" || first == "super" {
            rest.next_if(|name| *name == "self");
            while rest.next_if(|name| *name == "super").is_some() {
                base.pop();
            }
        } else {
            base.push(first.to_owned());
            let child = self.modules.contains(&base);
            base.pop();
            if !child {
                return path;
            }
        }
        base.extend(rest.cloned());
        base
    }

    /// All paths that a path may mean: itself, and what its names are aliases of. The flag is true for what its own
    /// file says, which the layers' rules judge. A path behind another file's alias is judged in that file.
    fn meanings(&self, source: &Source, seen: &PathUse) -> Vec<(Names, bool)> {
        let mut found = vec![(self.rooted(&seen.module, seen.path.clone()), true)];
        let mut at = 0;
        while let Some((path, own)) = found.get(at).cloned().filter(|_| at < 64) {
            let ours =
                path.first().is_some_and(|krate| ["crate", "main", "migration"].contains(&krate.as_str()));
            let mut more = Vec::new();
            for cut in 0..path.len() {
                let (module, rest) = path.split_at(cut);
                let scope = if ours { module } else { &source.module };
                let Some((name, rest)) = rest.split_first().filter(|_| ours || cut == 0) else {
                    break;
                };
                for (alias, target) in self.aliases.get(scope).into_iter().flatten() {
                    match alias {
                        Some(alias) if alias == name => more.push(([target, rest].concat(), own && !ours)),
                        None if own && cut == 0 && target != &source.module => {
                            more.push(([target, path.as_slice()].concat(), false));
                        }
                        Some(_) | None => {}
                    }
                }
            }
            let unseen: Vec<_> =
                more.into_iter().filter(|(path, _)| found.iter().all(|(seen, _)| seen != path)).collect();
            if let Some(this) = found.get_mut(at).filter(|_| unseen.iter().any(|(_, own)| *own)) {
                this.1 = false;
            }
            found.extend(unseen);
            at += 1;
        }
        found
    }

    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = BTreeSet::new();
        for source in &self.sources {
            faults.extend(source.faults.iter().cloned());
            for seen in &source.seen {
                let meanings = self.meanings(source, seen);
                let own = meanings.iter().filter(|(_, own)| *own).map(|(path, _)| path);
                let mut found: Vec<String> =
                    own.filter_map(|path| import_fault(&source.layer, path, seen)).collect();
                for (what, homes, paths) in HOMES {
                    let away = !homes.contains(&source.layer.as_str());
                    if away && meanings.iter().any(|(path, _)| paths.iter().any(|rule| means(rule, path))) {
                        found.push(format!("{what} outside {}", homes.join(" and ")));
                    }
                }
                let written = seen.path.join("::");
                faults.extend(found.iter().map(|what| format!("{}: {what}: `{written}`", source.file)));
            }
        }
        faults.into_iter().collect()
    }
}

/// Whether the names of `rule` are consecutive in `path`.
fn means(rule: &str, path: &[String]) -> bool {
    let rule = rule.replace('!', "::!");
    let rule: Vec<&str> = rule.split("::").collect();
    path.windows(rule.len()).any(|names| {
        names.iter().zip(&rule).all(|(name, rule)| match rule.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == rule,
        })
    })
}

/// The violation in `layer` naming `path`, if any.
fn import_fault(layer: &str, path: &[String], seen: &PathUse) -> Option<String> {
    let shared = seen.import.as_ref().is_some_and(|import| import.shared);
    let names = |crates: &[&[&str]], krate: &String| crates.concat().contains(&krate.as_str());
    match path {
        [krate, ..] if krate == layer => None,
        [krate] if krate == "crate" => {
            seen.import.as_ref().map(|_| format!("{layer} imports the whole crate"))
        }
        [krate, target, ..] if krate == "crate" => {
            let inside = path.get(1..).unwrap_or_default().join("::");
            let (allowed, own) = (rule(ALLOWED, layer).unwrap_or_default(), target == layer);
            let mut open = SHARED.iter().chain(allowed);
            if rule(ALLOWED, target).is_none() {
                Some(format!("`{target}` is not a known layer"))
            } else if !own
                && !open.any(|to| *to == target || inside == *to || inside.starts_with(&format!("{to}::")))
            {
                Some(format!("{layer} may not import {target}"))
            } else if shared && !own && path.len() == 2 && !SHARED.contains(&target.as_str()) {
                Some(format!("{layer} re-exports all of {target}"))
            } else {
                None
            }
        }
        [krate, rest @ ..] if !rest.is_empty() || seen.import.is_some() => {
            let named = names(rule(BANNED, layer).unwrap_or_default(), krate);
            let whole = shared && rest.is_empty() && BANNED.iter().any(|(_, crates)| names(crates, krate));
            let what = if whole { "re-export" } else { "name" };
            (named || whole).then(|| format!("{layer} may not {what} {krate}"))
        }
        _ => None,
    }
}
