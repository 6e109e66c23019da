//! The sender's address in `context.ip`, as the source's policy has it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tracklane::{Context, Event};

use crate::config::IpPolicy;

/// Applies the policy to an event that came from `address`.
pub(crate) fn apply(policy: IpPolicy, address: Option<IpAddr>, event: &mut Event) {
    match policy {
        IpPolicy::Keep => {}
        IpPolicy::Add => add(event, address),
        IpPolicy::Remove => drop(event.context_mut().remove("ip")),
        IpPolicy::Truncate => {
            add(event, address);
            let Some(sent) = event.context().get_str("ip").map(|text| text.parse::<IpAddr>()) else { return };
            match sent {
                Ok(sent) => drop(event.context_mut().insert("ip", truncated(sent).to_string())),
                // Text that is not an address cannot be cut.
                Err(_) => drop(event.context_mut().remove("ip")),
            }
        }
    }
}

/// The event's own address wins.
fn add(event: &mut Event, address: Option<IpAddr>) {
    if let Some(address) = address {
        event.add_context(&Context::new().with("ip", address.to_string()));
    }
}

fn truncated(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & !0xff).into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 80 << 80).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_decides_what_is_known_of_the_sender() {
        use IpPolicy::{Add, Keep, Remove, Truncate};
        for (policy, sent, expected) in [
            (Keep, None, None),
            (Keep, Some("9.8.7.6"), Some("9.8.7.6")),
            (Add, None, Some("1.2.3.4")),
            (Add, Some("9.8.7.6"), Some("9.8.7.6")),
            (Truncate, None, Some("1.2.3.0")),
            (Truncate, Some("9.8.7.6"), Some("9.8.7.0")),
            (Truncate, Some("2001:db8:1:2:3:4:5:6"), Some("2001:db8:1::")),
            (Truncate, Some("::ffff:9.8.7.6"), Some("9.8.7.0")),
            (Truncate, Some("unknown"), None),
            (Remove, Some("9.8.7.6"), None),
            (Remove, None, None),
        ] {
            let mut event = Event::from(tracklane::Track::new("E").user_id("u"));
            if let Some(sent) = sent {
                event.add_context(&Context::new().with("ip", sent));
            }
            apply(policy, Some(IpAddr::from([1, 2, 3, 4])), &mut event);
            assert_eq!(event.context().get_str("ip").as_deref(), expected, "{policy:?} of {sent:?}");
        }
    }
}
