//! JSON objects as they came: fields in their order, values as their tokens, names in any letter case.
//!
//! For rows that are written back: what is not changed goes out byte for byte as it came in.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::loose::Loose;

/// A JSON object.
#[derive(Debug, Clone, Default)]
pub struct Object {
    fields: Vec<(String, Box<RawValue>)>,
}

impl Object {
    /// Reads a text that is one whole object.
    pub fn read(json: &str) -> Option<Object> {
        serde_json::from_str(json).ok()
    }

    /// The objects of a text that is a list; items that are none are left out.
    pub fn list(json: &str) -> Vec<Object> {
        let items: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
        items.into_iter().filter_map(|item| Object::read(item.get())).collect()
    }

    /// The field of this name in any letter case, as its token; of one that comes twice the last.
    pub fn token(&self, name: &str) -> Option<&RawValue> {
        let mut named = self.fields.iter().rev().filter(|(field, _)| field.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| &**value)
    }

    /// The field of this name, read.
    pub fn get(&self, name: &str) -> Loose<'_> {
        Loose::of(self.token(name))
    }

    /// The objects of the list in the field of this name.
    pub fn objects(&self, name: &str) -> Vec<Object> {
        self.token(name).map(|list| Object::list(list.get())).unwrap_or_default()
    }

    /// The fields in their order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), &**value))
    }

    /// Sets a field where it stands, else at the end.
    pub fn set(&mut self, name: &str, value: impl Serialize) {
        // What we write are texts, numbers, and lists of them: those can always be written.
        let Ok(value) = to_raw_value(&value) else { return };
        let same = |field: &str| field.eq_ignore_ascii_case(name);
        match self.fields.iter().position(|(field, _)| same(field)) {
            Some(at) => {
                self.fields[at].1 = value;
                let mut index = 0;
                self.fields.retain(|(field, _)| {
                    index += 1;
                    index - 1 <= at || !same(field)
                });
            }
            None => self.fields.push((name.to_owned(), value)),
        }
    }

    /// The object with one more field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Object {
        self.set(name, value);
        self
    }

    /// Takes away the fields whose names do not pass.
    pub fn retain(&mut self, passes: impl Fn(&str) -> bool) {
        self.fields.retain(|(name, _)| passes(name));
    }

    /// The object as JSON.
    pub fn text(&self) -> String {
        // Names are strings and values are JSON already.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry::<String, Box<RawValue>>()? {
                    fields.push(field);
                }
                Ok(Object { fields })
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_changed_goes_out_as_it_came() {
        let mut object = Object::read(r#"{"B":1.10,"a": {"x" : 1e400},"b":2,"ç":"\u00e9"}"#).unwrap();
        assert_eq!(object.get("b").text(), Some("2"));
        object.set("b", "new");
        object.set("c", [1, 2]);
        assert_eq!(object.text(), r#"{"B":"new","a":{"x" : 1e400},"ç":"\u00e9","c":[1,2]}"#);
        object.retain(|name| name != "a");
        assert_eq!(object.text(), r#"{"B":"new","ç":"\u00e9","c":[1,2]}"#);
        for text in ["", "[]", "1", "null", "{", "{} x", "\"{}\""] {
            assert!(Object::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn lists_give_their_objects() {
        let object = Object::read(r#"{"list":[{"a":1},5,{"a":2}],"other":{}}"#).unwrap();
        let read: Vec<_> = object.objects("LIST").iter().map(|item| item.get("a").owned()).collect();
        assert_eq!(read, [Some("1".to_owned()), Some("2".to_owned())]);
        assert!(object.objects("other").is_empty() && object.objects("none").is_empty());
    }

    proptest! {
        #[test]
        fn no_text_panics(json in "[\\[\\]{}\":,a0-9.eE\\\\u -]{0,60}") {
            if let Some(object) = Object::read(&json) {
                prop_assert!(Object::read(&object.text()).is_some());
            }
        }
    }
}
