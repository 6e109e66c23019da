//! What is left out or cut of an event. It is found by a look at the event beside what is sent of it, so that the
//! mapping itself has nothing to do for it.

use tracklane_http::{EventJson, Json, number};

use super::hit::{ENGAGEMENT, SESSION};
use super::params::{MOST, MOST_ITEMS, Params};
use super::{Mapping, ecommerce, rules, user};

impl Mapping {
    /// What is left out or cut of an event that is sent, a sentence each.
    pub(crate) fn notes(&self, json: &EventJson<'_>) -> Vec<String> {
        let (Ok((_, params)), Ok(parts)) = (self.call_with_page(json), self.hit(json)) else { return Vec::new() };
        let mut notes = Notes { sent: &parts.params, seen: Vec::new(), notes: Vec::new() };
        for (name, value) in params {
            match &*name {
                "items" => notes.items(value),
                _ => notes.param(rules::name(name).into_owned(), value),
            }
        }
        let mut notes = notes.finish();
        for names in [SESSION, ENGAGEMENT] {
            let known = |name| Some((name, self.options(json)?.get(name)?));
            let option = names.into_iter().find_map(known).filter(|(_, option)| !option.is_null());
            if let Some((name, _)) = option.filter(|(_, option)| number(option).is_none()) {
                notes.push(format!("the option {name:?} is left out: it is not a number"));
            }
        }
        // A name that Google recommends is shorter.
        let name = json.text("event").unwrap_or_default();
        if parts.name.len() == rules::LONGEST_NAME && rules::is_longer(name.trim(), rules::LONGEST_NAME) {
            notes.push(format!("the name of the event is cut to {} letters", rules::LONGEST_NAME));
        }
        ecommerce::note(name, json.properties(), parts.params.has("value"), &mut notes);
        user::note(json, &self.user_properties, &mut notes);
        notes
    }
}

/// Notes on parameters.
struct Notes<'s, 'e> {
    sent: &'s Params<'e>,
    /// The names that Google takes, each once.
    seen: Vec<String>,
    notes: Vec<String>,
}

impl Notes<'_, '_> {
    /// Looks at a parameter, or at those in it, which have the names that [`fit`](super::params::fit) gives them.
    fn param(&mut self, name: String, value: Json<'_>) {
        if value.is_null() || value.as_str() == Some("") {
            return;
        }
        if name.len() > rules::LONGEST_NAME {
            self.notes.push(format!("{name:?} is left out: its name has more than {} letters", rules::LONGEST_NAME));
            return;
        }
        match value {
            Json::Raw(text) if text.starts_with('[') => self.elements(&name, value),
            Json::Array(_) => self.elements(&name, value),
            Json::Raw(text) if text.starts_with('{') => self.members(&name, value),
            Json::Object(_) => self.members(&name, value),
            value => self.leaf(name, &value),
        }
    }

    fn members(&mut self, name: &str, object: Json<'_>) {
        object.for_each_member(|member, value| self.param(format!("{name}_{}", rules::name(member)), value));
    }

    fn elements(&mut self, name: &str, array: Json<'_>) {
        let mut index = 0;
        array.for_each_element(|value| {
            self.param(format!("{name}_{index}"), value);
            index += 1;
        });
    }

    fn leaf(&mut self, name: String, value: &Json<'_>) {
        let longest = rules::longest_value(&name);
        if !rules::is_param(&name) {
            self.notes.push(format!("{name:?} is left out: Google takes no such name"));
        } else if [SESSION[1], ENGAGEMENT[1]].contains(&&*name) && !is_number(value) {
            self.notes.push(format!("{name:?} is left out: it is not a number"));
        } else if self.seen.contains(&name) {
            self.notes.push(format!("{name:?} is there more than once: the last one counts"));
        } else {
            if value.as_str().is_some_and(|text| rules::is_longer(text, longest)) {
                self.notes.push(format!("{name:?} is cut to {longest} letters"));
            }
            self.seen.push(name);
        }
    }

    fn items(&mut self, items: Json<'_>) {
        let count = |items: Option<&Json<'_>>| items.and_then(Json::as_array).map_or(0, Vec::len);
        let left_out = count(Some(&items.parsed())).saturating_sub(count(self.sent.get("items")));
        if left_out > 0 {
            let are = if left_out == 1 { "is" } else { "are" };
            self.notes.push(format!("{left_out} of the items {are} left out: Google takes {MOST_ITEMS} objects"));
        }
    }

    /// The notes, with those that are too many.
    fn finish(mut self) -> Vec<String> {
        let too_many: Vec<String> = self.seen.into_iter().filter(|name| !self.sent.has(name)).collect();
        if !too_many.is_empty() {
            self.notes.push(format!("left out, because Google takes {MOST} parameters: {}", too_many.join(", ")));
        }
        self.notes
    }
}

/// Google gets a boolean as a number.
fn is_number(value: &Json<'_>) -> bool {
    value.as_bool().is_some() || number(value).is_some()
}
