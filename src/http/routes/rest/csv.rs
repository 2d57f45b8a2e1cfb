//! Rows of comma-separated values (RFC 4180), for spreadsheets.

/// The characters that a cell with a formula begins with, in spreadsheets (OWASP, CSV Injection). `'` in front of them
/// makes the cell a text.
const FORMULAS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
/// The characters for which a cell is quoted. Where `,` is the decimal separator, spreadsheets split at `;`.
const QUOTED: [char; 6] = ['"', ',', ';', '\t', '\r', '\n'];

/// Appends a row.
pub(super) fn push_row<C: AsRef<str>>(to: &mut String, cells: impl IntoIterator<Item = C>) {
    for (nth, cell) in cells.into_iter().enumerate() {
        if nth > 0 {
            to.push(',');
        }
        push_cell(to, cell.as_ref());
    }
    to.push_str("\r\n");
}

fn push_cell(to: &mut String, cell: &str) {
    let prefix = if cell.starts_with(FORMULAS) { "'" } else { "" };
    if cell.contains(QUOTED) {
        to.push('"');
        to.push_str(prefix);
        to.push_str(&cell.replace('"', "\"\""));
        to.push('"');
    } else {
        to.push_str(prefix);
        to.push_str(cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> String {
        let mut row = String::new();
        push_row(&mut row, cells);
        row
    }

    #[test]
    fn a_cell_is_quoted_where_it_must_be() {
        assert_eq!(row(&["a", "", "Grüße 1.5"]), "a,,Grüße 1.5\r\n");
        assert_eq!(row(&["a,b", "say \"a\"", "a;b"]), "\"a,b\",\"say \"\"a\"\"\",\"a;b\"\r\n");
        assert_eq!(row(&["a\r\nb"]), "\"a\r\nb\"\r\n");
    }

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(row(&["=1+1", "+1", "-1", "@a", "a=1"]), "'=1+1,'+1,'-1,'@a,a=1\r\n");
        assert_eq!(row(&["=HYPERLINK(\"a\",1)"]), "\"'=HYPERLINK(\"\"a\"\",1)\"\r\n");
        assert_eq!(row(&["\t=1", "\r=1", "\n=1"]), "\"'\t=1\",\"'\r=1\",\"'\n=1\"\r\n");
    }
}
