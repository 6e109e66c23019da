//! What identify, group and alias calls are at Mixpanel.

use serde_json::{Value, json};
use tracklane::event::Context;
use tracklane::{Alias, Event, Group, Identify};
use tracklane_mixpanel::{IdMerge, Mixpanel, Target};

use crate::support::{items, mixpanel, why_not};

const UUID_V4: &str = "0a1801fd-3e68-49f8-a7ae-d4ab629a3c20";

fn original() -> Mixpanel {
    mixpanel().id_merge(IdMerge::Original)
}

fn set(traits: Value) -> Value {
    let event = Identify::new().user_id("u1").traits(traits);
    let [item] = <[Value; 1]>::try_from(items(&mixpanel(), Target::Engage, event)).unwrap();
    item["$set"].clone()
}

#[test]
fn reserved_traits_are_the_properties_that_mixpanel_shows() {
    let table = [
        (
            json!({"email": "a@b.c", "firstName": "A", "lastName": "B", "username": "ab", "phone": "+1", "avatar": "u"}),
            json!({"$email": "a@b.c", "$first_name": "A", "$last_name": "B", "$name": "A B", "$username": "ab",
                "$phone": "+1", "$avatar": "u"}),
        ),
        (json!({"name": "C", "firstName": "A"}), json!({"$name": "C", "$first_name": "A"})),
        (json!({"createdAt": 1_709_164_800}), json!({"$created": "2024-02-29T00:00:00.000Z"})),
        (json!({"created_at": "2024-02-29T01:00:00+01:00"}), json!({"$created": "2024-02-29T00:00:00.000Z"})),
        (json!({"createdAt": "last spring"}), json!({"createdAt": "last spring"})),
        (
            json!({"address": {"city": "Austin", "state": "TX", "country": "US", "street": "6th"}}),
            json!({"$city": "Austin", "$region": "TX", "$country_code": "US", "address": {"street": "6th"}}),
        ),
        // Two letters are a code, and no other country is.
        (json!({"address": {"country": "Germany"}}), json!({"address": {"country": "Germany"}})),
        (json!({"unsubscribed": true, "plan": "Pro"}), json!({"$unsubscribed": true, "plan": "Pro"})),
    ];
    for (traits, expected) in table {
        assert_eq!(set(traits.clone()), expected, "{traits}");
    }
}

#[test]
fn a_profile_is_not_placed_where_the_server_is() {
    let identify = || Identify::new().user_id("u1").with_trait("plan", "Pro");
    let ip = |event: Identify| items(&mixpanel(), Target::Engage, event).remove(0)["$ip"].clone();
    assert_eq!(ip(identify()), "0");
    assert_eq!(ip(identify().context(Context::new().with("ip", "203.0.113.7"))), "203.0.113.7");
}

#[test]
fn identify_merges_by_an_event_in_projects_of_the_original_kind_only() {
    let identify = |anonymous: &str| Identify::new().user_id("u1").anonymous_id(anonymous).with_trait("plan", "Pro");
    assert!(items(&mixpanel(), Target::Import, identify(UUID_V4)).is_empty());
    let merged = |anonymous: &str| items(&original(), Target::Import, identify(anonymous));
    let [by_uuid] = <[Value; 1]>::try_from(merged(UUID_V4)).unwrap();
    assert_eq!(by_uuid["event"], "$identify");
    assert_eq!(by_uuid["properties"]["$identified_id"], "u1");
    assert_eq!(by_uuid["properties"]["$anon_id"], UUID_V4);
    let [by_other] = <[Value; 1]>::try_from(merged("a1")).unwrap();
    assert_eq!(
        (&by_other["event"], &by_other["properties"]["$distinct_ids"]),
        (&json!("$merge"), &json!(["a1", "u1"]))
    );
    assert!(merged("u1").is_empty(), "nothing is merged with itself");
    let who =
        |mixpanel: &Mixpanel, event: Identify| items(mixpanel, Target::Engage, event).remove(0)["$distinct_id"].clone();
    let anonymous = || Identify::new().anonymous_id("a1").with_trait("plan", "Pro");
    assert_eq!((who(&mixpanel(), anonymous()), who(&original(), anonymous())), (json!("$device:a1"), json!("a1")));
}

#[test]
fn a_group_call_sets_the_group_and_adds_it_to_the_users() {
    let event =
        || Group::new("g1").user_id("u1").traits(json!({"name": "Initech", "createdAt": 1_709_164_800, "plan": "x"}));
    let company = mixpanel().group_key("company");
    let [group] = <[Value; 1]>::try_from(items(&company, Target::Groups, event())).unwrap();
    let set = json!({"$name": "Initech", "$created": "2024-02-29T00:00:00.000Z", "plan": "x"});
    assert_eq!(group, json!({"$group_key": "company", "$group_id": "g1", "$set": set}));
    let [user] = <[Value; 1]>::try_from(items(&company, Target::Engage, event())).unwrap();
    assert_eq!((&user["$union"], &user["$distinct_id"]), (&json!({"company": ["g1"]}), &json!("u1")));
    assert!(items(&company, Target::Import, event()).is_empty());
    assert_eq!(items(&mixpanel(), Target::Groups, event()).remove(0)["$group_key"], "$group_id");
}

#[test]
fn an_alias_is_created_in_projects_of_the_original_kind_only() {
    let [alias] = <[Value; 1]>::try_from(items(&original(), Target::Import, Alias::new("old", "new"))).unwrap();
    let properties = &alias["properties"];
    assert_eq!(
        (&alias["event"], &properties["distinct_id"], &properties["alias"]),
        (&json!("$create_alias"), &json!("old"), &json!("new"))
    );
}

#[test]
fn what_mixpanel_has_no_use_for_is_skipped_and_illegal_ids_are_refused() {
    let table: [(Mixpanel, Event, bool, &str); 4] = [
        (mixpanel(), Alias::new("old", "new").into(), false, "an alias has no effect"),
        (mixpanel(), Identify::new().user_id("u1").into(), false, "sets no traits"),
        (original(), Alias::new("undefined", "u1").into(), true, "refuses the id"),
        (original(), Identify::new().user_id("null").with_trait("a", 1).into(), true, "refuses the id"),
    ];
    for (mixpanel, event, is_loss, reason) in table {
        let (told, lost) = why_not(&mixpanel, event);
        assert!(told.contains(reason) && lost == is_loss, "{told}");
    }
}
