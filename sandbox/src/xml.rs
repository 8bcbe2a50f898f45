//! As much XML as the form-based services need: taking elements out of an answer, and escaping text.

/// The text of the first element of that name.
pub(crate) fn text(xml: &str, name: &str) -> Option<String> {
    elements(xml, name).first().map(|inner| unescape(inner))
}

/// The inner XML of every element of that name, those inside of one another left out.
pub(crate) fn elements<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut found = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find(&open) {
        rest = &rest[start + open.len()..];
        let Some(end) = rest.find(&close) else { break };
        found.push(&rest[..end]);
        rest = &rest[end + close.len()..];
    }
    found
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_in_order() {
        let xml = "<r><member><A>1</A></member><member><A>&lt;2&gt; &amp;amp;</A></member></r>";
        assert_eq!(elements(xml, "member").len(), 2);
        assert_eq!(text(elements(xml, "member")[1], "A").as_deref(), Some("<2> &amp;"));
        assert_eq!(text(xml, "B"), None);
    }

    #[test]
    fn escaping_comes_back() {
        let text = "a<b> & \"c\"";
        assert_eq!(unescape(&escape(text)), text);
    }
}
