//! [`PostsParameters`]: what the address of the posts page asks for, and the address that asks for it.

use crate::query::{Filter, Order, PageToken};

/// Orders by their names in addresses.
pub(super) const ORDERS: [(&str, Order); 3] =
    [("newest", Order::Newest), ("doubtful", Order::Doubtful), ("influential", Order::Influential)];

/// What the address asks for.
#[derive(Debug, Default, PartialEq)]
pub(super) struct PostsParameters {
    pub(super) filter: Filter,
    pub(super) order: Order,
    pub(super) page: Option<PageToken>,
    /// The post whose like are shown, in place of an order.
    pub(super) similar: Option<String>,
}

impl PostsParameters {
    /// # Errors
    /// A line that names the parameter and what is expected of it.
    pub(super) fn read(parameters: &[(String, String)]) -> Result<Self, String> {
        let mut asked = Self::default();
        for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
            match name.as_str() {
                "order" => {
                    let known = ORDERS.iter().find(|(known, _)| known == value);
                    asked.order = known.ok_or("order: expected newest, doubtful or influential")?.1;
                }
                "similar" => asked.similar = Some(value.clone()),
                "page" => asked.page = Some(value.parse().map_err(|error: String| format!("page: {error}"))?),
                // `language` is the one of the page.
                "lang" => asked.filter.set("language", value).map_err(|error| error.to_string())?,
                "language" => {}
                name => asked.filter.set(name, value).map_err(|error| error.to_string())?,
            }
        }
        Ok(asked)
    }

    /// Filter and order as parameters of the page's address. Those that select the same posts are equal.
    pub(super) fn to_query(&self) -> String {
        let order = ORDERS.iter().find(|(_, order)| *order == self.order && *order != Order::default());
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(own_parameters(&self.filter));
        query.extend_pairs(order.map(|(name, _)| ("order", name)));
        query.finish()
    }
}

/// The parameters of `filter` by their names in the address of the page.
pub(super) fn own_parameters(filter: &Filter) -> impl Iterator<Item = (&'static str, String)> {
    // `language` is the one of the page.
    let own = |name| if name == "language" { "lang" } else { name };
    filter.parameters().into_iter().map(move |(name, value)| (own(name), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(query: &str) -> Vec<(String, String)> {
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    #[test]
    fn an_address_is_read_and_written_the_same() {
        let query = "topic=a&topic=b&label=negative&lang=fr&text=bag+%26+belt&order=doubtful";
        let asked = PostsParameters::read(&pairs(query)).unwrap();
        assert_eq!((asked.to_query().as_str(), asked.order), (query, Order::Doubtful));
        // The page's own language, the place and empty fields of a form are no part of a filter.
        let asked = PostsParameters::read(&pairs("language=en&author=&order=newest&page=1.2.3")).unwrap();
        assert_eq!(asked.to_query(), "");
        assert!(PostsParameters::read(&pairs("order=best")).unwrap_err().starts_with("order: expected"));
    }
}
