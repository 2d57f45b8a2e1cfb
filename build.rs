//! Lists the files of the console, so that they are compiled into the binary. The files in `assets/console` are built by
//! `console/` and committed; without them, the service has no console.

use std::{
    env,
    error::Error,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

/// The folder of the built files.
const FOLDER: &str = "assets/console";
/// The page, and the list of documents that it sends. Neither is served as a file.
const PAGE: &str = "index.html";
const DOCUMENTS: &str = "documents.json";

fn main() -> Result<(), Box<dyn Error>> {
    // Not the folder itself: Cargo would run this each time while it doesn't exist.
    println!("cargo::rerun-if-changed=assets");
    println!("cargo::rerun-if-changed=build.rs");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join(FOLDER);
    let mut files = Vec::new();
    if root.is_dir() {
        collect(&root, &mut files)?;
    }
    files.sort();
    let mut code = String::new();
    writeln!(code, "/// The page of the console.\npub const PAGE: Option<EmbeddedFile> = {};", page(&root))?;
    let documents = root.join(DOCUMENTS);
    let documents =
        if documents.is_file() { format!("Some(include_str!({documents:?}))") } else { "None".to_owned() };
    writeln!(
        code,
        "/// The documents that the console sends.\npub const DOCUMENTS: Option<&str> = {documents};"
    )?;
    writeln!(code, "/// The other files, by name.\npub const FILES: &[EmbeddedFile] = &[")?;
    for file in &files {
        let name = file.strip_prefix(&root)?.to_str().ok_or("a file's name isn't UTF-8")?.replace('\\', "/");
        if ![PAGE, DOCUMENTS].contains(&name.as_str()) {
            writeln!(code, "    {},", entry(&name, file))?;
        }
    }
    writeln!(code, "];")?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("console_files.rs"), code)?;
    Ok(())
}

/// The entry of the page, if it was built.
fn page(root: &Path) -> String {
    let file = root.join(PAGE);
    if file.is_file() { format!("Some({})", entry(PAGE, &file)) } else { "None".to_owned() }
}

/// The entry of a file, with the compressed forms beside it.
fn entry(name: &str, file: &Path) -> String {
    let form = |end: &str| {
        let compressed = PathBuf::from(format!("{}.{end}", file.display()));
        if compressed.is_file() { format!("Some(include_bytes!({compressed:?}))") } else { "None".to_owned() }
    };
    let (brotli, gzip) = (form("br"), form("gz"));
    format!(
        "EmbeddedFile {{ name: {name:?}, plain: include_bytes!({file:?}), brotli: {brotli}, gzip: {gzip} }}"
    )
}

/// Collects the files of a folder and its subfolders, without the compressed forms.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for found in fs::read_dir(folder)? {
        let path = found?.path();
        let end = path.extension().and_then(|end| end.to_str());
        match end {
            _ if path.is_dir() => collect(&path, files)?,
            Some("br" | "gz" | "md") => {}
            _ => files.push(path),
        }
    }
    Ok(())
}
