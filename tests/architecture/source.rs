//! Reads one file: every path in it, at any place.

use syn::buffer::{Cursor, TokenBuffer};
use syn::visit::{self, Visit};

use super::{ALLOWED, rule};

/// Maximum lines of a file.
pub(super) const MOST_LINES: usize = 400;

pub(super) type Names = Vec<String>;

/// A path as written in a file. `!` is its last name when a macro is called.
pub(super) struct PathUse {
    pub(super) module: Names,
    pub(super) path: Names,
    pub(super) import: Option<Import>,
}

/// A path that gets a name: by `use`, `extern crate` or `type`.
pub(super) struct Import {
    /// None for a glob.
    pub(super) name: Option<String>,
    pub(super) shared: bool,
}

/// One parsed file.
pub(super) struct Source {
    pub(super) file: String,
    pub(super) layer: String,
    pub(super) module: Names,
    pub(super) inner: Vec<Names>,
    pub(super) seen: Vec<PathUse>,
    pub(super) faults: Vec<String>,
}

/// The layer of a file, and its module's path with the crate's name first.
fn place(file: &str) -> (String, Names) {
    let inside = |root: &str| {
        file.strip_prefix(root).map(|inside| inside.trim_end_matches(".rs").split('/').map(String::from))
    };
    let (krate, inside) = match (inside("src/"), inside("migration/src/")) {
        (Some(inside), _) => ("crate", inside),
        (None, Some(inside)) => ("migration", inside),
        (None, None) => return ("tests".to_owned(), vec!["tests".to_owned()]),
    };
    let mut module: Names = inside.collect();
    let layer =
        if krate == "migration" { krate } else { module.first().map_or("", String::as_str) }.to_owned();
    if layer == "main" {
        return (layer, module);
    }
    module.pop_if(|last| last == "mod" || last == "lib");
    module.insert(0, krate.to_owned());
    (layer, module)
}

impl Source {
    pub(super) fn read(file: &str, text: &str) -> Source {
        let (layer, module) = place(file);
        let (inner, seen, faults) = (vec![module.clone()], Vec::new(), Vec::new());
        let mut source = Source { file: file.to_owned(), layer, module, inner, seen, faults };
        let opens = text.starts_with("//!") || source.layer == "lib" && text.starts_with("#![doc");
        if !opens {
            source.fault("does not open with `//!`, which says what the file is for and what it may not do");
        }
        let lines = text.lines().count();
        if lines > MOST_LINES {
            source.fault(&format!("{lines} lines: the limit is {MOST_LINES}"));
        }
        let code = || text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        let ignore = concat!("#[", "ignore");
        if code()
            .any(|line| line.contains(ignore) || line.starts_with("#[cfg_attr(") && line.contains("ignore"))
        {
            source.fault("a test is ignored");
        }
        if rule(ALLOWED, &source.layer).is_none() && source.layer != "tests" {
            source.fault(&format!("`{}` is not a known layer", source.layer));
        }
        match syn::parse_file(text) {
            Ok(tree) if source.layer != "tests" => source.visit_file(&tree),
            Ok(_) => {}
            Err(error) => source.fault(&format!("cannot be parsed: {error}")),
        }
        source
    }

    fn fault(&mut self, what: &str) {
        self.faults.push(format!("{}: {what}", self.file));
    }

    fn saw(&mut self, path: Names, import: Option<Import>) {
        let names = path.iter().map(|name| name.trim_start_matches("r#").to_owned()).enumerate();
        let path: Names =
            names.filter(|(at, name)| *at == 0 || name != "self").map(|(_, name)| name).collect();
        let module = self.module.clone();
        self.seen.push(PathUse { module, path, import });
    }

    fn use_tree(&mut self, tree: &syn::UseTree, mut path: Names, shared: bool) {
        let import = |name: Option<&syn::Ident>| Some(Import { name: name.map(ToString::to_string), shared });
        match tree {
            syn::UseTree::Path(part) => {
                path.push(part.ident.to_string());
                self.use_tree(&part.tree, path, shared);
            }
            syn::UseTree::Name(part) if part.ident == "self" => {
                let name = path.last().cloned();
                self.saw(path, Some(Import { name, shared }));
            }
            syn::UseTree::Name(part) => {
                path.push(part.ident.to_string());
                self.saw(path, import(Some(&part.ident)));
            }
            syn::UseTree::Rename(part) => {
                path.push(part.ident.to_string());
                self.saw(path, import(Some(&part.rename)));
            }
            syn::UseTree::Glob(_) => self.saw(path, import(None)),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.use_tree(tree, path.clone(), shared))
            }
        }
    }

    /// Reads tokens of unknown grammar: finds each `a::b`, `a::{b, c as d}`, `a::*` and `a!` in them. In an
    /// attribute, a string that reads as a path counts as one (`#[serde(with = "…")]`).
    fn tokens(&mut self, mut rest: Cursor<'_>, before: &[String], mut imports: bool, attribute: bool) {
        let shared = false;
        while !rest.eof() {
            let Some((first, after)) = rest.ident() else {
                if let Some((inside, _, _, after)) = rest.any_group() {
                    self.tokens(inside, &[], false, attribute);
                    rest = after;
                    continue;
                }
                imports &= marked(rest, ";").is_none();
                let text = rest.literal().filter(|_| attribute).map(|(literal, _)| literal.to_string());
                if let Some(path) =
                    text.and_then(|text| syn::parse_str::<syn::Path>(text.trim_matches('"')).ok())
                {
                    self.saw(names(&path), None);
                }
                let Some((_, after)) = rest.token_tree() else {
                    break;
                };
                rest = after;
                continue;
            };
            rest = after;
            if first == "use" {
                imports = true;
                continue;
            }
            let mut path = before.to_vec();
            path.push(first.to_string());
            let mut group = false;
            while let Some(next) = marked(rest, "::") {
                if let Some((name, after)) = next.ident() {
                    path.push(name.to_string());
                    rest = after;
                } else if let Some((inside, _, _, after)) = next.any_group() {
                    self.tokens(inside, &path, imports, attribute);
                    (rest, group) = (after, true);
                } else if let Some(after) = marked(next, "*") {
                    self.saw(path.clone(), Some(Import { name: None, shared }));
                    (rest, group) = (after, true);
                } else {
                    break;
                }
            }
            if group {
                continue;
            }
            let alias = rest.ident().filter(|(word, _)| word == "as").and_then(|(_, next)| next.ident());
            let name = alias.map_or_else(|| path.last().cloned(), |(name, _)| Some(name.to_string()));
            if marked(rest, "!").is_some() && marked(rest, "!=").is_none() {
                path.push("!".to_owned());
            }
            self.saw(path, imports.then_some(Import { name, shared }));
        }
    }
}

/// Returns what follows these marks, if the marks come next.
fn marked<'a>(at: Cursor<'a>, marks: &str) -> Option<Cursor<'a>> {
    marks.chars().try_fold(at, |at, mark| {
        let (found, after) = at.punct()?;
        (found.as_char() == mark).then_some(after)
    })
}

fn names(path: &syn::Path) -> Names {
    path.segments.iter().map(|part| part.ident.to_string()).collect()
}

impl<'ast> Visit<'ast> for Source {
    /// `pub(crate)` and `pub(in …)` import nothing, so skip their paths.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let name = item.ident.to_string();
        if self.layer == "main" || self.layer == "lib" && rule(ALLOWED, &name).is_none() {
            self.fault(&format!("`mod {name}` is not a known layer"));
        }
        self.module.push(name);
        self.inner.push(self.module.clone());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.use_tree(&item.tree, Vec::new(), !matches!(item.vis, syn::Visibility::Inherited));
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        let name = Some(item.rename.as_ref().map_or(&item.ident, |(_, name)| name).to_string());
        let shared = !matches!(item.vis, syn::Visibility::Inherited);
        self.saw(vec![item.ident.to_string()], Some(Import { name, shared }));
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        if let syn::Type::Path(path) = &*item.ty {
            let import = Import { name: Some(item.ident.to_string()), shared: false };
            self.saw(names(&path.path), Some(import));
        }
        visit::visit_item_type(self, item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.saw(names(path), None);
        visit::visit_path(self, path);
    }

    /// `<Utc as Clock>::now` counts as `Utc::now` too.
    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        if let Some(syn::QSelf { ty, position, .. }) = &path.qself
            && let syn::Type::Path(this) = &**ty
        {
            let rest = names(&path.path).into_iter().skip(*position);
            self.saw(names(&this.path).into_iter().chain(rest).collect(), None);
        }
        visit::visit_expr_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let mut path = names(&call.path);
        path.push("!".to_owned());
        self.saw(path, None);
        self.tokens(TokenBuffer::new2(call.tokens.clone()).begin(), &[], false, false);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        visit::visit_attribute(self, attribute);
        let (path, before) = (attribute.path(), self.seen.len());
        if path.is_ident("path") {
            self.fault("a module has the path that its name says, without `#[path]`");
        }
        match &attribute.meta {
            syn::Meta::List(list) => {
                self.tokens(TokenBuffer::new2(list.tokens.clone()).begin(), &[], false, true);
            }
            syn::Meta::Path(_) | syn::Meta::NameValue(_) => {}
        }
        let mut inside = self.seen.iter().skip(before);
        if (path.is_ident("arg") || path.is_ident("clap")) && inside.any(|seen| seen.path == ["env"]) {
            self.saw(vec!["#arg".to_owned(), "env".to_owned()], None);
        }
    }
}
