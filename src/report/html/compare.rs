//! A comparison as a page: its tables, with a bar for each interval.

use std::io::{self, Write};

use serde::Serialize;

use super::page;

/// Writes the page. `told` is the comparison, as its JSON document has it.
///
/// # Errors
///
/// What the output says.
pub fn write_comparison(told: &impl Serialize, output: impl Write) -> io::Result<()> {
    page::write("Comparison · seedbed", &page::compare_script(), (told, &()), output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_data_and_the_page_is_one_file() {
        let evil = "</script><script>alert(1)</script>";
        let mut bytes = Vec::new();
        write_comparison(&serde_json::json!({"a": {"name": evil}, "sims": []}), &mut bytes)
            .unwrap();
        let page = String::from_utf8(bytes).unwrap();
        assert_eq!(page.matches("</script>").count(), 3, "two of data, and the script");
        assert!(page.contains("\\u003c/script\\u003e") && !page.contains("src="));
        assert!(page.contains("Content-Security-Policy") && page.len() < 100_000);
    }
}
