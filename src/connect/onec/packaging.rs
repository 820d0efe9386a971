//! Which products are packaging: folded away in what a customer bought, kept in the money.

/// Whether a product is packaging: one of its words is one of these, or its article begins so.
pub(super) fn is_packaging(words: &[String], articles: &[String], name: &str, article: &str) -> bool {
    let article = article.trim();
    let by_article = articles.iter().any(|start| !start.is_empty() && article.starts_with(start.as_str()));
    by_article
        || name
            .split(|c: char| !c.is_alphanumeric())
            .any(|part| words.iter().any(|word| word.to_lowercase() == part.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::is_packaging;

    #[test]
    fn whole_words_and_beginnings_of_articles_tell() {
        let words = ["пакет".to_owned(), "box".to_owned()];
        let articles = ["УП-".to_owned(), String::new()];
        for (name, article, packaging) in [
            ("Пакет подарочный", "", true),
            ("Gift-BOX, large", "", true),
            ("Пакетик чая", "", false),
            ("Boxer", "", false),
            ("Кольцо", "УП-12", true),
            ("Кольцо", "АУП-12", false),
        ] {
            assert_eq!(is_packaging(&words, &articles, name, article), packaging, "{name} {article}");
        }
    }
}
